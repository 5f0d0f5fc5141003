"""Descriptions of photos in the user's language."""

import re
from typing import Any

import pytest

from chat.protocol import events
from chat.protocol.prompt import Model, Prompt
from chat.providers.vision import sentences, sight
from chat.providers.vision.seen import Seen
from chat.providers.vision.wording import ENGLISH, wording
from deploy.catalogues import things
from tests.catalogue import providers
from tests.unit.providers.conftest import ask
from tests.unit.providers.test_sight import BOX, Blind, Sees, blind, contents, embedded, sees

__all__ = ["blind", "embedded", "sees"]

DOG = {"name": "dog", "share": 0.9, "sure": True, "number": 1}
PEOPLE = {"name": "person", "share": 0.8, "sure": True, "number": 2}
MAYBE = {"name": "umbrella", "share": 0.2, "sure": False, "number": 1}
FACTS: dict[str, Any] = {"things": [PEOPLE, DOG, MAYBE], "lines": ["BEWARE"], "coverage": 0.01}
SAID = {
    "es": "La foto muestra personas y un perro. Puede ser un paraguas.\n\nEn la foto pone:\n\n> BEWARE\n\n",
    "fr-CA": "La photo montre des personnes et un chien. C’est peut-être un parapluie.\n\n"
    "On lit sur la photo :\n\n> BEWARE\n\n",
    "ja": "写真には人と犬が写っています。傘かもしれません。\n\n写真の文字：\n\n> BEWARE\n\n",
    "zh-CN": "照片里有人和狗。可能是雨伞。\n\n照片上写着：\n\n> BEWARE\n\n",
    "zh-Hans-SG": "照片里有人和狗。可能是雨伞。\n\n照片上写着：\n\n> BEWARE\n\n",
}
IN_ENGLISH = "The photo shows people and a dog. It may be an umbrella.\n\nThe photo says:\n\n> BEWARE\n\n"


@pytest.mark.parametrize("language", SAID)
async def test_the_embedded_models_answer_is_in_the_language_of_the_request(
    embedded: Blind, sees: Sees, language: str
) -> None:
    sees(**FACTS)
    assert (await ask(None, contents=contents(b"photo"), language=language)).text == SAID[language]


@pytest.mark.parametrize("language", ["", "en-GB", "de", "pt-BR", "zh-TW", "zh-Hant-HK", "x"])
async def test_every_other_language_is_answered_in_english(embedded: Blind, sees: Sees, language: str) -> None:
    sees(**FACTS)
    assert (await ask(None, contents=contents(b"photo"), language=language)).text == IN_ENGLISH


async def test_the_first_words_which_come_before_the_text_is_read_are_in_it_too(embedded: Blind, sees: Sees) -> None:
    sees(**FACTS)
    outcome = await ask(None, contents=[*contents(b"photo")], language="fr")
    first = next(parts for parts in map(parts_of, outcome.responses) if parts)
    assert first[0]["text"] == "La photo montre des personnes et un chien. C’est peut-être un parapluie."


def parts_of(response: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for each in response.get("candidates", []) for part in each.get("content", {}).get("parts", [])]


async def test_a_model_is_told_the_facts_in_english_and_answers_in_its_own_words(blind: Blind, sees: Sees) -> None:
    sees(things=[DOG])
    outcome = await ask("blind/echo", contents=contents(b"photo"), language="ja")
    assert outcome.text.startswith("写真には犬が写っています。")
    assert blind.seen[0].contents[0]["parts"][0]["text"] == f"{sight.FACTS}It shows: dog.\n\n"


async def test_who_sees_more_and_which_photo_is_meant_are_said_in_it(blind: Blind, sees: Sees) -> None:
    sees(things=[DOG])
    two = contents(b"one")[0]["parts"][:1] + contents(b"two")[0]["parts"]
    model = providers.find("blind/echo")[1]
    asked = Prompt(Model("local", model.name), [{"role": "user", "parts": two}], language="es")
    said: list[events.Response] = []
    await providers.senses.adapted(asked, said.append, describe_only=True)
    text = "".join(part.get("text", "") for response in said for part in parts_of(response))
    assert text == (
        "Foto 1: La foto muestra un perro.\n\nFoto 2: La foto muestra un perro.\n\nblind/seer puede ver más en ella."
    )


@pytest.mark.parametrize("question", ["¿Cuántos perros hay?", "Où est le chien ?", "犬はどこですか", "狗在哪里？"])
async def test_a_question_about_places_is_understood_in_it(embedded: Blind, sees: Sees, question: str) -> None:
    sees(things=[DOG], boxes=[BOX])
    assert '"box_2d"' in (await ask(None, contents=contents(b"photo", question), language="fr")).text


def test_labels_of_boxes_are_in_it_and_in_english_without_an_article() -> None:
    seen = Seen(boxes=[BOX])
    assert '"label": "犬"' in sentences.marks(seen, wording("ja"))
    assert '"label": "dog"' in sentences.marks(seen)


@pytest.mark.parametrize("language", ["es", "fr", "ja", "zh"])
def test_every_thing_has_its_name_in_each_language_one_and_several(language: str) -> None:
    words = wording(language)
    english = re.compile(r"[a-z]") if language in ("ja", "zh") else re.compile(r"^an? ")
    for name in things():
        for number in (1, 2):
            said = words.thing({"name": name, "number": number})
            assert said
            assert not english.match(said), said


def test_looks_and_everything_else_have_their_sentence() -> None:
    look = {"dark": True, "blurred": True, "colours": ["black", "blue"]}
    codes = [{"kind": "QR Code", "text": "https://a.example"}]
    dark = Seen(look=look, unread=True)
    assert sentences.answer(dark, wording("fr")).split("\n\n") == [
        "Je ne suis pas sûr de ce que montre cette photo. Elle est très sombre, floue et à dominante noire et bleue.",
        "Elle porte un texte illisible ici : seuls les caractères latins, chinois et japonais se lisent.",
        "Le temps a manqué pour la regarder en entier.",
        "",
    ]
    coded = sentences.answer(Seen(codes=codes, complete=True), wording("zh"))
    assert coded == "其中有一个条码（QR Code），内容是：\n\n> https\\:\\/\\/a\\.example\n\n"


def test_a_language_tag_of_any_kind_is_taken() -> None:
    assert wording("FR").say("The photo says:") == "On lit sur la photo :"
    assert wording("-") is wording("toki-pona") is ENGLISH
