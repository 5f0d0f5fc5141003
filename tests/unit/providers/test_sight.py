"""Photos for models that cannot see them: the recognised facts for users and models."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from chat.protocol import errors, events
from chat.protocol.prompt import Model, Prompt
from chat.providers.vision import sentences, sight
from chat.providers.vision.seen import Seen
from tests.catalogue import providers
from tests.unit.providers.conftest import ask, responses

DOG = {"name": "dog", "share": 0.9, "sure": True, "number": 1}
PEOPLE = {"name": "person", "share": 0.8, "sure": True, "number": 2}
MAYBE = {"name": "umbrella", "share": 0.2, "sure": False, "number": 1}
BOX = {"label": "dog", "box_2d": [100, 200, 300, 400], "confidence": 0.9}


def contents(data: bytes, question: str = "What does this say?") -> list[dict[str, Any]]:
    """A message with a photo."""
    inline = {"inlineData": {"mimeType": "image/jpeg", "data": base64.b64encode(data).decode()}}
    return [{"role": "user", "parts": [inline, {"text": question}]}]


class Blind:
    """A provider whose model sees nothing and repeats what it was told."""

    name = "blind"
    seen: list[Prompt]

    def __init__(self) -> None:
        self.seen = []

    def models(self) -> tuple[Model, ...]:
        """One."""
        return (Model("blind", "echo"), Model("blind", "seer", images=True))

    async def answer(self, prompt: Prompt, give: events.Give) -> None:
        """Done."""
        self.seen.append(prompt)
        give(events.chunk(events.delta("Done.")))
        give(events.chunk(events.finish("STOP")))

    async def close(self) -> None:
        """Nothing."""


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> Blind:
    """Only that provider."""
    provider = Blind()
    monkeypatch.setattr("chat.providers.catalogue.PROVIDERS", (lambda settings: provider,))
    return provider


class Watcher:
    """In the worker's place: sees what it was made with, and remembers what it was shown."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen
        self.asked: list[bytes] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.was_left = False

    async def recognise(self, photo: bytes, added: Callable[[Seen], None]) -> Seen:
        """The same in every photo: things first, the rest when it may go on."""
        self.asked.append(photo)
        added(Seen(things=self.seen.things))
        try:
            await self.goes_on.wait()
        except asyncio.CancelledError:
            self.was_left = True
            raise
        return self.seen

    async def close(self) -> None:
        """Nothing."""


Sees = Callable[..., Watcher]


@pytest.fixture
def sees(monkeypatch: pytest.MonkeyPatch) -> Sees:
    """Have this be seen in every photo."""

    def configure(setting: dict[str, str] | None = None, **facts: Any) -> Watcher:
        watcher = Watcher(Seen(**{"complete": True, **facts}))
        found = sight.Sight(watcher)  # type: ignore[arg-type]
        monkeypatch.setattr(sight, "from_settings", lambda settings: found)
        providers.configure(setting or {})
        return watcher

    return configure


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch, blind: Blind) -> Blind:
    """The same provider under the name of the embedded model."""
    monkeypatch.setattr(blind, "name", "local")
    monkeypatch.setattr(blind, "models", lambda: (Model("local", "smollm2-135m"),))
    return blind


async def test_what_is_seen_is_shown_to_the_reader_and_told_to_the_model(blind: Blind, sees: Sees) -> None:
    sees(things=[DOG], lines=["EXIT ONLY", "*Platform* 9"])
    outcome = await ask("blind/echo", contents=contents(b"photo"))
    assert [kind for kind, _ in outcome.notices] == [events.READING]
    assert "cannot see it" in outcome.notices[0][1]
    shown = "The photo shows a dog.\n\nThe photo says:\n\n> EXIT ONLY  \n> \\*Platform\\* 9\n\n"
    assert outcome.text == f"{shown}Done."
    (prompt,) = blind.seen
    assert not prompt.has_images()
    told = prompt.contents[0]["parts"][0]["text"]
    assert told == f"{sight.FACTS}It shows: dog.\nThis text is in it:\nEXIT ONLY\n*Platform* 9\n\n"


async def test_what_is_certain_is_said_while_the_text_is_still_read(embedded: Blind, sees: Sees) -> None:
    watcher = sees(things=[DOG], lines=["BEWARE"], coverage=0.2)
    watcher.goes_on.clear()
    prompt = Prompt(providers.find("local/smollm2-135m")[1], contents(b"photo"))
    answer = responses(prompt)
    assert (await anext(answer))["wondercam"]["notice"]["kind"] == events.READING
    said = events.text_of(await anext(answer))
    assert said == "The photo shows a dog."
    watcher.goes_on.set()
    rest = [response async for response in answer]
    assert said + "".join(map(events.text_of, rest)) == "The photo shows a dog.\n\nThe photo says:\n\n> BEWARE\n\n"


async def test_a_reader_that_goes_away_ends_the_look(embedded: Blind, sees: Sees) -> None:
    watcher = sees(things=[DOG])
    watcher.goes_on.clear()
    answer = responses(Prompt(providers.find("local/smollm2-135m")[1], contents(b"photo")))
    await anext(answer)
    await anext(answer)
    await answer.aclose()
    assert watcher.was_left


async def test_the_embedded_model_is_not_asked_about_a_photo(embedded: Blind, sees: Sees) -> None:
    sees(things=[MAYBE])
    outcome = await ask("local/smollm2-135m", contents=contents(b"photo", "What is in this photo?"))
    assert outcome.text == "I am not sure what this photo shows. It may be an umbrella.\n\n"
    assert (outcome.reason, outcome.error, embedded.seen) == ("STOP", None, [])


def said(*texts: str) -> list[dict[str, Any]]:
    """A conversation in words, the last of them a question."""
    roles = ("model", "user") if len(texts) % 2 == 0 else ("user", "model")
    return [{"role": roles[place % 2], "parts": [{"text": text}]} for place, text in enumerate(texts)]


NO_PHOTO = "There is no photo in this conversation. Take or add one, then ask again."


@pytest.mark.parametrize(
    "question",
    [
        "What is in this photo?",
        "what’s in the picture",
        "Describe this image in detail.",
        "Who is that in my selfie?",
        "Describe the photo for somebody who cannot see it.",
        "What does the picture I sent say?",
        "How many people are in the attached photo?",
        "What do you see?",
        "What am I holding?",
        "What is this?",
        "Can you see this?",
        "¿Qué hay en esta foto?",
        "¿Qué ves?",
        "Qu'y a-t-il sur cette photo ?",
        "Qu’est-ce que tu vois ?",
        "C'est quoi ça ?",
        "この写真には何が写っていますか？",
        "これは何ですか？",
        "这张照片里有什么？",
        "你看到了什么？",
        "这是什么？",
    ],
)
async def test_the_embedded_model_makes_up_no_photo(embedded: Blind, sees: Sees, question: str) -> None:
    sees()
    outcome = await ask("local/smollm2-135m", contents=said(question))
    assert (outcome.text, outcome.reason, embedded.seen) == (NO_PHOTO, "STOP", [])
    again = await ask("local/smollm2-135m", contents=said("Hi.", "Hello!", question))
    assert again.text == NO_PHOTO


@pytest.mark.parametrize(
    "question",
    [
        "How do I take a good photo of the moon?",
        "Why is the sky blue?",
        "What is a picture frame made of?",
        "Write a poem about photographs.",
        "What is this thing called love, and who wrote it?",
        "Who invented the camera?",
        "What is the image of a function?",
        "Explain the picture of Dorian Gray.",
        "What do you see in the future of work?",
        "Is it better to crop an image or to scale it?",
        "¿Cómo se hace una buena foto?",
        "Comment imprimer une photo ?",
        "写真の歴史を教えてください。",
        "怎么拍好照片？",
        f"What is in this photo? {'It was a long day. ' * 10}",
    ],
)
async def test_it_is_asked_whatever_is_not_about_a_photo(embedded: Blind, sees: Sees, question: str) -> None:
    sees()
    assert (await ask("local/smollm2-135m", contents=said(question))).text == "Done."


async def test_another_model_is_asked_about_a_photo_that_is_not_there(blind: Blind, sees: Sees) -> None:
    sees()
    assert (await ask("blind/echo", contents=said("What is in this photo?"))).text == "Done."


async def test_the_embedded_model_gets_the_facts_for_what_is_asked_next(embedded: Blind, sees: Sees) -> None:
    sees(things=[DOG])
    first = contents(b"photo")
    await ask("local/smollm2-135m", contents=first)
    assert (await ask("local/smollm2-135m", contents=later(first))).text == "Done."
    assert embedded.seen[0].contents[0]["parts"][0]["text"].startswith(f"{sight.FACTS}It shows: dog.")


async def test_who_sees_more_is_named_beside_what_was_seen(
    blind: Blind, sees: Sees, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blind, "models", lambda: (Model("local", "echo"), Model("blind", "seer", images=True)))
    sees(things=[DOG])
    assert (await ask("local/echo", contents=contents(b"photo"))).text.endswith("blind/seer can see more in it.")


async def test_boxes_and_codes_are_there_for_programs(blind: Blind, sees: Sees) -> None:
    code = {"kind": "QR Code", "text": "https://example.org/?a=1"}
    sees(things=[DOG], boxes=[BOX], codes=[code])
    outcome = await ask("blind/echo", contents=contents(b"photo"))
    (seen,) = [each["wondercam"]["seen"] for each in outcome.responses if "seen" in each.get("wondercam", {})]
    assert seen == {"photo": 1, "things": [DOG], "boxes": [BOX], "codes": [code]}
    assert "It has a QR Code that holds:\n\n> https\\:\\/\\/example" in outcome.text
    assert "box_2d" not in outcome.text


@pytest.mark.parametrize("question", ["Where is the dog?", "Answer with box_2d and label", "How many are there?"])
async def test_a_question_of_place_is_answered_by_boxes_too(blind: Blind, sees: Sees, question: str) -> None:
    sees(things=[DOG], boxes=[BOX])
    text = (await ask("blind/echo", contents=contents(b"photo", question))).text
    block = text.split("```json\n")[1].split("\n```")[0]
    assert json.loads(block) == [{"box_2d": [100, 200, 300, 400], "label": "dog"}]


async def test_several_photos_are_told_apart(blind: Blind, sees: Sees) -> None:
    watcher = sees(things=[DOG])
    both = contents(b"one")
    both[0]["parts"] += contents(b"two")[0]["parts"]
    text = (await ask("blind/echo", contents=both)).text
    assert text.startswith("Photo 1: The photo shows a dog.\n\nPhoto 2: ")
    assert watcher.asked == [b"one", b"two"]


async def test_a_model_that_sees_gets_the_photo_itself(blind: Blind, sees: Sees) -> None:
    watcher = sees(things=[DOG])
    assert (await ask("blind/seer", contents=contents(b"photo"))).text == "Done."
    assert blind.seen[0].has_images()
    assert watcher.asked == []


async def test_a_photo_is_looked_at_once_in_a_conversation(blind: Blind, sees: Sees) -> None:
    watcher = sees(lines=["words"])
    first = contents(b"photo")
    await ask("blind/echo", contents=first)
    outcome = await ask("blind/echo", contents=later(first))
    assert watcher.asked == [b"photo"]
    assert (outcome.text, outcome.notices) == ("Done.", [])


async def test_a_photo_that_was_not_looked_at_to_its_end_is_looked_at_again(blind: Blind, sees: Sees) -> None:
    watcher = sees(lines=["words"], complete=False)
    for _ in range(2):
        outcome = await ask("blind/echo", contents=contents(b"photo"))
    assert watcher.asked == [b"photo", b"photo"]
    assert "There was no time to look at all of it." in outcome.text


async def test_what_a_photo_shows_is_said_once_though_another_blind_model_answers(
    blind: Blind, sees: Sees, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(prompt: Prompt, give: events.Give) -> None:
        if prompt.model.name == "echo":
            raise errors.PermissionDenied("no")
        give(events.chunk(events.delta("Done.")))
        give(events.chunk(events.finish("STOP")))

    monkeypatch.setattr(blind, "models", lambda: (Model("blind", "echo"), Model("blind", "other")))
    monkeypatch.setattr(blind, "answer", answer)
    sees({"WONDERCAM_FALLBACKS": "blind/echo=blind/other"}, things=[DOG])
    outcome = await ask("blind/echo", contents=contents(b"photo"))
    assert outcome.text == "The photo shows a dog.\n\nDone."
    assert [kind for kind, _ in outcome.notices] == [events.READING, events.FALLBACK, events.READING]


def later(first: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation's next question."""
    return [*first, {"role": "model", "parts": [{"text": "Done."}]}, {"role": "user", "parts": [{"text": "And?"}]}]


@pytest.mark.parametrize("setting", [{}, {"WONDERCAM_OCR": "0"}])
async def test_a_photo_of_an_earlier_message_that_was_not_looked_at_is_spoken_of(
    blind: Blind, setting: dict[str, str]
) -> None:
    providers.configure(setting)
    outcome = await ask("blind/echo", contents=later(contents(b"photo")))
    assert (outcome.text, outcome.error, outcome.notices) == ("Done.", None, [])
    assert blind.seen[0].contents[0]["parts"][0] == {"text": "[a photo that you cannot see]"}


async def test_where_photos_are_not_looked_at_they_are_refused_with_who_can_see(blind: Blind) -> None:
    providers.configure({"WONDERCAM_OCR": "0"})
    outcome = await ask("blind/echo", contents=contents(b"photo"))
    assert isinstance(outcome.error, errors.InvalidArgument)
    assert "blind/seer can" in outcome.error.message
    assert blind.seen == []


def test_whether_a_model_takes_photos_depends_on_its_eyes_and_the_setting(blind: Blind, sees: Sees) -> None:
    echo, seer = blind.models()
    sees()
    assert (providers.senses.takes_photos(echo), providers.senses.takes_photos(seer)) == (True, True)


def test_the_setting_turns_it_off(blind: Blind) -> None:
    echo, seer = blind.models()
    providers.configure({"WONDERCAM_OCR": "off"})
    assert (providers.senses.takes_photos(echo), providers.senses.takes_photos(seer)) == (False, True)


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ({"things": [PEOPLE, DOG]}, "The photo shows people and a dog."),
        ({"things": [PEOPLE, {**MAYBE, "name": "street"}]}, "The photo shows people. It may be a street."),
        ({"things": [{**DOG, "name": "food"}]}, "The photo shows food."),
        ({"things": [{**DOG, "name": "wine glass", "number": 3}]}, "The photo shows wine glasses."),
        ({}, "I am not sure what this photo shows."),
        (
            {"look": {"dark": True, "blurred": True, "colours": ["black", "blue"]}},
            "I am not sure what this photo shows. It is very dark, blurred and mostly black and blue.",
        ),
        ({"things": [{**DOG, "name": "book"}], "lines": ["ARIZONA"], "coverage": 0.2}, "The photo says:\n\n> ARIZONA"),
        (
            {"things": [DOG], "lines": ["BEWARE"], "coverage": 0.2},
            "The photo shows a dog.\n\nThe photo says:\n\n> BEWARE",
        ),
        (
            {"things": [{**DOG, "name": "menu"}, DOG], "lines": ["SOUP"], "coverage": 0.2},
            "The photo says:\n\n> SOUP\n\nThe photo also shows a dog.",
        ),
        (
            {"either": [["METPO", "МЕТРО"]], "coverage": 0.2},
            "It has writing in letters that Latin and Cyrillic share. It may be METPO or МЕТРО.",
        ),
        (
            {"unread": True},
            "I am not sure what this photo shows.\n\n"
            "There is writing in it that cannot be read here: only Latin letters, Chinese and Japanese can.",
        ),
    ],
)
def test_sentences_say_what_is_certain_and_call_the_rest_a_guess(facts: dict[str, Any], answer: str) -> None:
    assert sentences.answer(Seen(complete=True, **facts)) == f"{answer}\n\n"


def test_a_page_of_fifty_lines_is_quoted_whole() -> None:
    lines = [f"{number}. coffee river market garden silver window bridge stone" for number in range(50)]
    assert sentences.answer(Seen(complete=True, lines=lines, coverage=0.6)).count("> ") == 50


def test_a_longer_page_is_cut_at_the_end_of_a_line_and_says_so() -> None:
    lines = [f"{number}. coffee river market garden silver window bridge stone" for number in range(200)]
    text = sentences.answer(Seen(complete=True, lines=lines, coverage=0.6, left=5))
    quoted = [line for line in text.split("\n") if line.startswith("> ")]
    assert quoted[-1].rstrip().endswith("stone")
    assert f"only the first part of it: {205 - len(quoted)} more lines are not shown" in text
    assert sentences.facts(Seen(lines=lines)).endswith("stone")
