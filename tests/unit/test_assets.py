"""The page's static files: their size before the first keystroke, compression and preloading."""

import gzip
import re
from pathlib import Path
from typing import Any

import brotli
import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncClient, AsyncRequestFactory

from chat.models import Conversation, Message, User
from tests.servers.wondercam import WonderCam
from wondercam.pages import StaticFiles
from wondercam.staticfiles import IMPORTED, PACKAGES, CompressedCopies, HashedStorage, modules_of

MOST_BYTES = 60 * 1024
"""Of JavaScript, by gzip, that a page may load before anybody has typed."""
FINGERPRINT = re.compile(r"\.[0-9a-f]{12}\.")


def source(name: str) -> Path:
    """The file behind an address of the site."""
    return Path(str(finders.find(name)))


def preloaded(page: str) -> list[str]:
    """The modules that a page names before its script."""
    return re.findall(r'<link rel="modulepreload" nonce="[^"]+" href="/static/([^"]+)">', page)


def test_the_javascript_before_the_first_keystroke_is_small() -> None:
    sizes = {name: len(gzip.compress(source(name).read_bytes())) for name in modules_of("chat/page.js")}
    assert len(sizes) > 20
    assert sum(sizes.values()) <= MOST_BYTES, sorted(sizes.items(), key=lambda item: -item[1])


def test_what_writes_answers_and_the_large_packages_come_later() -> None:
    first = modules_of("chat/page.js")
    later = {path for name, path in IMPORTED.items() if name != "eventsource-parser"}
    assert {"chat/markdown.js", *later}.isdisjoint(first)


def test_every_module_that_is_imported_by_a_name_is_a_file() -> None:
    assert {name: path for name, path in IMPORTED.items() if not finders.find(path)} == {}


def test_the_languages_that_code_is_highlighted_in_are_those_that_are_served() -> None:
    named = re.findall(r'resolve\("\.\./vendor/highlight/([^"]+)"\)', source("chat/languages.js").read_text())
    assert {"core.min.js", *named} == set(PACKAGES["highlight"][1])


def test_a_module_that_is_no_file_is_named() -> None:
    with pytest.raises(ValueError, match=r"chat/nothing\.js is no file"):
        modules_of("chat/nothing.js")


@pytest.mark.django_db(transaction=True)
async def test_a_page_names_each_module_once_that_its_script_imports(async_client: AsyncClient) -> None:
    page = (await async_client.get("/")).content.decode()
    assert preloaded(page) == modules_of("chat/page.js")
    assert page.index("importmap") < page.index("modulepreload")  # a map that comes after a module is not read


@pytest.mark.django_db(transaction=True)
async def test_a_page_with_answers_also_names_what_writes_them(async_client: AsyncClient) -> None:
    ada = await sync_to_async(User.objects.create_user)("ada")
    conversation = await Conversation.objects.acreate(user=ada)
    await Message.objects.acreate(conversation=conversation, role=Message.USER, parts=[{"text": "Why?"}])
    await async_client.aforce_login(ada)
    page = (await async_client.get(f"/c/{conversation.pk}")).content.decode()
    assert preloaded(page) == modules_of("chat/page.js", "chat/answer_text.js")


@pytest.mark.django_db(transaction=True)
async def test_a_page_with_photos_also_names_what_shows_and_prints_them(async_client: AsyncClient) -> None:
    ada = await sync_to_async(User.objects.create_user)("ada")
    conversation = await Conversation.objects.acreate(user=ada)
    parts = [{"attachment": "0b9c1b3e-1f5a-4a51-9d28-5a5c8f3a1c11"}, {"text": "What is this?"}]
    await Message.objects.acreate(conversation=conversation, role=Message.USER, parts=parts)
    await async_client.aforce_login(ada)
    page = (await async_client.get(f"/c/{conversation.pk}")).content.decode()
    named = preloaded(page)
    assert named == modules_of("chat/page.js", "chat/answer_text.js", "chat/camera/photo_loader.js")
    assert "chat/camera/photo_memory.js" in named  # which listens for `beforeprint`


def test_a_copy_is_made_again_once_the_file_has_changed(tmp_path: Path) -> None:
    copies, file = CompressedCopies(), tmp_path / "page.js"
    file.write_text("let one;")
    first = copies.of(str(file))
    assert first == copies.of(str(file))
    file.write_text("let another;")
    second = copies.of(str(file))
    assert second is not None
    assert gzip.decompress(Path(second).read_bytes()) == b"let another;"


def test_what_is_compressed_already_has_no_copy(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    assert CompressedCopies().of(str(tmp_path / "photo.png")) is None
    assert CompressedCopies().of(str(tmp_path / "nothing.js")) is None


def test_a_checkout_serves_its_sources_compressed_and_asks_to_come_back(shared_server: WonderCam) -> None:
    address = f"{shared_server.url}/static/chat/page.js"
    found = httpx.get(address, headers={"Accept-Encoding": "gzip"})
    assert found.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in found.headers["Vary"]
    assert found.headers["Cache-Control"] == "max-age=0, public"
    assert found.text == source("chat/page.js").read_text()
    plain = httpx.get(address, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert plain.text == found.text


@pytest.mark.slow
async def test_a_collected_file_has_its_hash_in_its_name_is_compressed_and_kept_for_ever(
    tmp_path: Path, settings: Any
) -> None:
    settings.DEBUG, settings.STATIC_ROOT = False, tmp_path
    hashed = f"{HashedStorage.__module__}.{HashedStorage.__qualname__}"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": hashed}}
    await sync_to_async(call_command)("collectstatic", interactive=False, verbosity=0)
    page = next(path for path in (tmp_path / "chat").glob("page.*.js"))
    imported = re.findall(r'from "\./([^"]+)"', page.read_text())
    names = {path.name for path in tmp_path.rglob("*.js")}
    assert len(imported) > 5
    assert all(FINGERPRINT.search(name) and Path(name).name in names for name in imported)
    languages = next(path for path in (tmp_path / "chat").glob("languages.*.js")).read_text()
    resolved = re.findall(r'resolve\("\.\./vendor/highlight/languages/([^"]+)"\)', languages)
    assert len(resolved) > 30
    assert all(FINGERPRINT.search(name) and name in names for name in resolved)

    async def nothing(_: HttpRequest) -> HttpResponseBase:
        return HttpResponse(status=404)

    request = AsyncRequestFactory().get(f"/static/chat/{page.name}", headers={"Accept-Encoding": "gzip, br"})
    found = await StaticFiles(nothing)(request)
    assert (found.status_code, found.headers["Content-Encoding"]) == (200, "br")
    assert "immutable" in found.headers["Cache-Control"]
    body = b"".join([piece async for piece in found])
    assert len(body) < page.stat().st_size / 2
    assert brotli.decompress(body) == page.read_bytes()
