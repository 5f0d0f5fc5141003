"""What an operator adds to MIDDLEWARE, and who receives Django's signals, meets every request of the real server."""

from collections.abc import Iterator

import httpx
import pytest

from tests.servers.process import wait_until
from tests.servers.wondercam import WonderCam, servers

ADDED = {"DJANGO_SETTINGS_MODULE": "tests.operator_settings", "WONDERCAM_MODELS": "recording/hello"}
QUESTION = {"contents": [{"text": "Hello"}]}
TAG = {"X-Tag": "mine"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[WonderCam]:
    with servers(tmp_path_factory, request) as start:
        yield start(ADDED)


@pytest.mark.parametrize(
    "path", ["/v2/models", "/v2/nowhere", "/healthz", "/accounts/signin/", "/nowhere", "/static/x"]
)
def test_a_middleware_sees_requests_of_the_api_and_of_pages(server: WonderCam, path: str) -> None:
    assert httpx.get(server.url + path, headers=TAG, timeout=90).headers["X-Tag"] == "mine"


def test_a_middleware_sees_an_event_stream_from_its_view_to_its_last_piece(server: WonderCam) -> None:
    with server.client() as client:
        answer = client.post("/v2/echat", json=QUESTION, headers=TAG)
    assert answer.text.endswith("data: [DONE]\n\n")
    assert (answer.headers["X-Tag"], answer.headers["X-Observed"]) == ("mine", "v2/echat")
    server.process.wait_for_line("observed start of /v2/echat")
    seen = [server.process.wait_for_line("observed") for _ in range(3)]
    assert (seen[0], seen[2]) == ("observed view echat\n", "observed end\n")
    assert seen[1].startswith("observed stream of ")


def test_the_signals_are_sent_for_the_api(server: WonderCam) -> None:
    httpx.get(f"{server.url}/v2/conversations", timeout=90)
    server.process.wait_for_line("observed start of /v2/conversations")
    seen = [server.process.wait_for_line("observed") for _ in range(2)]
    assert seen == ["observed view index\n", "observed end\n"]


@pytest.mark.parametrize("path", ["/v2/models", "/accounts/signin/"])
def test_an_exception_outside_a_view_is_signalled_and_answered(server: WonderCam, path: str) -> None:
    answer = httpx.get(server.url + path, headers={**TAG, "X-Fail": "1"}, timeout=90)
    assert answer.status_code == 500
    server.process.wait_for_line(f"observed exception in {path}")
    assert "as asked" not in answer.text
    assert "DATABASES" not in answer.text
    wait_until(lambda: "as asked" in server.log, "the traceback is in the log")


MISSING = ["/static/nothing.js", "/static/", "/nowhere", "/c/nothing", "/admin/nothing/", "/v2/nowhere"]


@pytest.mark.parametrize("path", MISSING)
def test_with_debug_what_is_not_there_is_a_plain_404_of_ours(server: WonderCam, path: str) -> None:
    for accept in ("text/html", "text/plain", "*/*"):
        answer = httpx.get(server.url + path, headers={"Accept": accept}, timeout=90, follow_redirects=True)
        assert answer.status_code in (200, 404), answer.text[:300]  # of the admin: 200 for its sign-in page
        assert "Traceback" not in answer.text
        assert "urlpatterns" not in answer.text.lower()
        assert "DATABASES" not in answer.text
        assert "URLconf" not in answer.text


def test_with_debug_a_foreign_host_learns_nothing(server: WonderCam) -> None:
    answer = httpx.get(server.url, headers={"Host": "evil.example"}, timeout=90)
    assert answer.status_code == 400
    assert "DATABASES" not in answer.text
