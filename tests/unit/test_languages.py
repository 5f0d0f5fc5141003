"""The language of a page: who chooses it, and what of a page is said in it."""

import json
import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import translation

from chat.views.words import words

pytestmark = pytest.mark.django_db


class Shown(HTMLParser):
    """What of a page people read or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.skipped = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self.skipped = tag
        self.texts += [
            value or "" for name, value in attributes if name in ("aria-label", "title", "placeholder", "alt")
        ]

    def handle_endtag(self, tag: str) -> None:
        if tag == self.skipped:
            self.skipped = ""

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.texts.append(data.strip())


@pytest.mark.parametrize(
    "address", ["/", "/accounts/signin/", "/accounts/signup/", "/accounts/reset/", "/offline", "/nothing"]
)
def test_a_japanese_reader_sees_no_english(client: Client, address: str) -> None:
    page = client.get(address, headers={"Accept-Language": "ja,en;q=0.5"}).content.decode()
    assert '<html lang="ja"' in page
    shown = Shown()
    shown.feed(page)
    english = [text for text in shown.texts if re.search(r"[A-Za-z]{2,}[ ,.] ?[a-z]{2,}", text)]
    assert [text for text in english if "SmolLM2" not in text and "GEMINI_API_KEY" not in text] == []


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("fr-CA, fr;q=0.8", "fr"), ("zh-CN", "zh-hans"), ("es-MX,en", "es"), ("tlh", "en"), ("de, ja;q=0.2", "ja")],
)
def test_the_browser_chooses_the_language(client: Client, accepted: str, language: str) -> None:
    answer = client.get("/", headers={"Accept-Language": accepted})
    assert f'<html lang="{language}"' in answer.content.decode()
    assert "Accept-Language" in answer.headers["Vary"]


def test_the_reader_chooses_another_one(client: Client) -> None:
    answer = client.post("/language/", {"language": "fr", "next": "/accounts/signin/"})
    assert answer.headers["Location"] == "/accounts/signin/"
    assert client.cookies["language"]["samesite"] == "Lax"
    assert "Se connecter" in client.get("/accounts/signin/", headers={"Accept-Language": "ja"}).content.decode()


def test_the_api_and_the_review_speak_english_and_no_request_changes_the_next_one(client: Client) -> None:
    french = {"Accept-Language": "fr"}
    assert client.get("/v2/nothing", headers=french).json()["error"]["message"] == "There is nothing at this address."
    assert 'lang="en' in client.get("/admin/login/", headers=french).content.decode()
    client.get("/", headers=french)
    assert translation.get_language() == "en"


def test_a_page_carries_the_words_of_its_modules_and_none_in_english(client: Client) -> None:
    page = client.get("/", headers={"Accept-Language": "es"}).content.decode()
    carried = json.loads(re.findall(r'<script id="words" type="application/json">(.*?)</script>', page)[0])
    assert carried["Copied."] == "Copiado."
    assert carried == words("es")
    assert 'id="words"' not in client.get("/").content.decode()
