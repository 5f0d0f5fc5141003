"""`firefox`: Debian's Firefox, without a window, by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/); one for a
module, with `firefox.tab()` for each test: an empty profile, which fails the test by what its own scripts raise.

Playwright drives only a Firefox of its own making, and Debian has no geckodriver: what the journeys need of the
protocol is here. Every wait has an end, and the browser is ended by its process, whatever it does.
"""

import base64
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.servers.process import Process, program

SECONDS = 90.0
"""What is awaited comes sooner or later: browsers and their servers may share one core."""
CLOSE_SECONDS = 10.0
"""A tab that does not close says nothing of the page: it goes with the browser."""

OFFLINE = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.blockedURIs.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage": "about:blank",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "media.gmp-manager.url": "",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.http.speculative-parallel-limit": 0,
    "services.settings.server": "http://127.0.0.1:9",
    "toolkit.telemetry.server": "",
}
"""Preferences under which it asks nobody but the server of the test."""

KEYS = {"Enter": "\ue007", "Tab": "\ue004", "Escape": "\ue00c", "Space": " "}

TRY_SECONDS = 2.0
"""Of a page that is left meanwhile Firefox says nothing any more."""

PRESSABLE = """(async () => {
  const element = document.querySelector(SELECTOR);
  if (!element?.checkVisibility() || element.disabled) return false;
  element.scrollIntoView({ block: "nearest" });
  const before = element.getBoundingClientRect();
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const { x, y, width, height } = element.getBoundingClientRect();
  const top = document.elementFromPoint(x + width / 2, y + height / 2);
  return x === before.x && y === before.y && element.contains(top);
})()"""
"""In view, still, and with nothing before it."""


class BidiError(Exception):
    """The browser refused a command."""


class Firefox:
    """A running browser. One command at a time."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        path = program(["firefox-esr", "firefox"], "firefox-esr")
        profile = folder / "profile"
        profile.mkdir()
        preferences = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in OFFLINE.items())
        (profile / "user.js").write_text("".join(preferences))
        command = [path, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port=0"]
        self.process = Process(command, {**environment, "HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"})
        self._ids = count(1)
        self.errors: list[str] = []
        self._line: ClientConnection | None = None

    @contextmanager
    def session(self) -> Iterator[None]:
        """From when it listens to its end: without asking it, since a browser that stands still would not answer."""
        options: dict[str, Any] = {"open_timeout": SECONDS, "close_timeout": 1, "max_size": None, "compression": None}
        try:
            address = self.process.wait_for_line("WebDriver BiDi listening on ").split()[-1]
            with connect(f"{address}/session", proxy=None, **options) as self._line:
                try:
                    self.command("session.new", capabilities={})
                    self.command("session.subscribe", events=["log.entryAdded"])
                    yield
                finally:
                    self.process.kill9()
        finally:
            self.process.kill9()

    def command(self, method: str, seconds: float = SECONDS, **params: Any) -> dict[str, Any]:
        """What the browser answers; TimeoutError where it does not."""
        assert self._line is not None
        number, deadline = next(self._ids), time.monotonic() + seconds
        self._line.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            said = json.loads(self._line.recv(timeout=max(0.0, deadline - time.monotonic())))
            if said.get("method") == "log.entryAdded":
                self._note(said["params"])
            if said.get("id") == number:
                if said["type"] == "error":
                    raise BidiError(f"{method}: {said['message']}")
                return dict(said["result"])

    def _note(self, entry: dict[str, Any]) -> None:
        text = str(entry.get("text"))
        if entry["type"] == "javascript" or "Content-Security-Policy" in text:
            self.errors.append(text)

    @contextmanager
    def tab(self, width: int = 1280, height: int = 800) -> Iterator["FirefoxTab"]:
        """A tab in an empty profile, of this size."""
        profile = self.command("browser.createUserContext")["userContext"]
        context = self.command("browsingContext.create", type="tab", userContext=profile)["context"]
        self.errors.clear()
        tab = FirefoxTab(self, context)
        tab.resize(width, height)
        yield tab
        with suppress(TimeoutError, BidiError):
            self.command("browser.removeUserContext", seconds=CLOSE_SECONDS, userContext=profile)
        assert self.errors == []


class FirefoxTab:
    """One page, driven by real keys and presses."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser = browser
        self._context = context

    def goto(self, url: str) -> None:
        """Load a page, all of it."""
        self._browser.command("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def reload(self) -> None:
        """The same page once more."""
        self._browser.command("browsingContext.reload", context=self._context, wait="complete")

    def evaluate(self, expression: str, seconds: float = SECONDS) -> Any:
        """The value of an expression."""
        return self._evaluated(f"JSON.stringify(({expression}) ?? null)", seconds)

    def promised(self, expression: str, seconds: float = SECONDS) -> Any:
        """The value of a promise."""
        return self._evaluated(f"({expression}).then((value) => JSON.stringify(value ?? null))", seconds)

    def until(self, expression: str, promised: bool = False) -> Any:
        """Ask again every 20 ms until an expression is true, over loads of other pages too; its value."""
        ask, deadline = self.promised if promised else self.evaluate, time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            with suppress(BidiError, TimeoutError):  # the page may be left meanwhile
                if found := ask(expression, TRY_SECONDS):
                    return found
            time.sleep(0.02)
        raise TimeoutError(f"not true after {SECONDS:.0f} s: {expression}")

    def _evaluated(self, expression: str, seconds: float) -> Any:
        return json.loads(self._value(expression, seconds)["value"])

    def _value(self, expression: str, seconds: float = SECONDS) -> dict[str, Any]:
        target = {"context": self._context}
        options = {"target": target, "awaitPromise": True, "userActivation": True}
        answer = self._browser.command("script.evaluate", seconds, expression=expression, **options)
        if answer["type"] == "exception":
            raise BidiError(answer["exceptionDetails"]["text"])
        return dict(answer["result"])

    def element(self, selector: str) -> dict[str, Any]:
        """A reference to the element, once it is in view and can be pressed."""
        self.until(PRESSABLE.replace("SELECTOR", json.dumps(selector)), promised=True)
        return self._reference(selector)

    def _reference(self, selector: str) -> dict[str, Any]:
        return {"sharedId": self._value(f"document.querySelector({json.dumps(selector)})")["sharedId"]}

    def press(self, selector: str) -> None:
        """With the mouse, in the middle of the element."""
        origin = {"type": "element", "element": self.element(selector)}
        moves = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        self._act({"type": "pointer", "id": "mouse", "actions": moves})

    def keys(self, text: str) -> None:
        """Typed where the focus is; `Enter`, `Tab`, `Escape` and `Space` are keys."""
        typed = [KEYS[text]] if text in KEYS else list(text)
        strokes = [{"type": kind, "value": key} for key in typed for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keyboard", "actions": strokes})

    def _act(self, source: dict[str, Any]) -> None:
        self._browser.command("input.performActions", context=self._context, actions=[source])

    def fill(self, selector: str, text: str) -> None:
        """Press a field and type."""
        self.press(selector)
        self.keys(text)

    def choose(self, selector: str, *files: Path) -> None:
        """Files, in a field for them."""
        names = [str(file) for file in files]
        element = self._reference(selector)
        self._browser.command("input.setFiles", context=self._context, element=element, files=names)

    def resize(self, width: int, height: int) -> None:
        """The size of the view, in CSS pixels."""
        viewport = {"width": width, "height": height}
        self._browser.command("browsingContext.setViewport", context=self._context, viewport=viewport)

    def picture(self, path: Path) -> None:
        """What is in view, as a PNG."""
        taken = self._browser.command("browsingContext.captureScreenshot", context=self._context)
        path.write_bytes(base64.b64decode(taken["data"]))


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """The module's browser."""
    browser = Firefox(tmp_path_factory.mktemp("firefox"), dict(_environment()))
    with browser.session():
        yield browser


def _environment() -> Iterator[tuple[str, str]]:
    """Nothing of the desktop that it may be run on."""
    yield "PATH", "/usr/local/bin:/usr/bin:/bin"
    yield "LANG", "C.UTF-8"
