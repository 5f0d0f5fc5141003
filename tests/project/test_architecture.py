"""The house rules that no other tool holds: budgets, names, vocabulary, settings, lock files, floors."""

import ast
import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from packaging.version import Version

from chat.protocol import events
from tests.sources import ROOT, is_a_test, name_of, nodes_of, of_the_site, ours, tracked, tree_of

LOCKS = sorted(ROOT.glob("requirements*.txt"))

FUNCTION_LINES, VIEW_LINES, TEST_FUNCTION_LINES = 40, 25, 80
NOT_VIEWS = {"event_stream.py"}
"""What stands among the views and answers no request: the bodies of responses."""
PYTHON_LINES, TEST_LINES, SCRIPT_LINES = 300, 500, 200
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "services", "service", "base", "misc", "common"}
NAMED_BY_DJANGO = {"wondercam/sqlite3/base.py"}
"""Django finds a database backend by that name."""

FLOORS = {
    "Django": "5.2.19",  # upload and body limits bypassed under ASGI (CVE-2026-5766, CVE-2026-33034)
    "daphne": "4.2.3",  # header injection and memory exhaustion (CVE-2026-44545, CVE-2026-44546)
    "asgiref": "3.12.1",  # a deadlock on leaving a thread-sensitive context after a cancellation
    "PyJWT": "2.15",  # algorithm confusion, endless recursion
    "Pillow": "13",  # heap overflows in image decoders
    "aiohttp": "3.13.4",  # a compressed body unpacked without a bound (CVE-2025-69223), and others before 3.13.4
    "urllib3": "2.6.3",  # redirects unpacked without a bound (CVE-2026-21441)
}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in nodes_of(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def budget_of_functions(path: Path) -> int:
    if is_a_test(path):
        return TEST_FUNCTION_LINES
    is_a_view = name_of(path).startswith("chat/views/") and path.name not in NOT_VIEWS
    return VIEW_LINES if is_a_view else FUNCTION_LINES


def test_no_python_function_is_over_its_budget() -> None:
    over = [
        f"{name_of(path)}:{found.lineno} {found.name}: {lines} lines, {budget_of_functions(path)} allowed"
        for path in ours(".py")
        for found in functions(path)
        if (lines := (found.end_lineno or found.lineno) - found.lineno + 1) > budget_of_functions(path)
    ]
    assert over == []


def test_no_file_is_over_its_budget() -> None:
    def budget(path: Path) -> int:
        if path.suffix == ".js":
            return TEST_LINES if is_a_test(path) else SCRIPT_LINES
        return TEST_LINES if is_a_test(path) else PYTHON_LINES

    over = [
        f"{name_of(path)}: {lines} lines, {budget(path)} allowed"
        for path in [*ours(".py"), *ours(".js")]
        if (lines := len(path.read_text().splitlines())) > budget(path)
    ]
    assert over == []


def test_every_file_is_named_by_its_noun() -> None:
    named = [*ours(".py"), *ours(".js"), *ours(".css")]
    assert {name_of(path) for path in named if path.stem.lower() in FORBIDDEN_NAMES} == NAMED_BY_DJANGO


SHARED_NAMES = {"Command", "Event"}
"""Django finds commands by it; a stored event is the protocol's event."""


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for path in filter(of_the_site, ours(".py")):
        if "migrations" not in path.parts:
            for node in tree_of(path).body:
                if isinstance(node, ast.ClassDef) and node.name not in SHARED_NAMES:
                    places.setdefault(node.name, []).append(name_of(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.django_db
def test_every_migration_is_written() -> None:
    said = StringIO()
    try:
        call_command("makemigrations", check=True, dry_run=True, stdout=said)
    except SystemExit:
        pytest.fail(f"the models have changed: manage.py makemigrations\n{said.getvalue()}")


# What a library does not promise


PROMISED = {"_meta", "_state", "_default_manager", "_replace", "_make", "_asdict", "_fields", "_exit"}
"""Names with an underscore that are documented: of Django's models, of named tuples, of `os`."""
INSIDE_OF = {
    "wondercam/server/transport.py": "Twisted",
    "chat/providers/http/push_body.py": "aiohttp",
    "wondercam/request.py": "Django: what a response closes at its end",
    "wondercam/staticfiles.py": "Django: import lines of ES modules",
    "chat/accounts/signals.py": "Django: whether a password was set, or its hash renewed",
}
"""The modules that use what a library does not promise, each naming it; `requirements.in` bounds these libraries."""


def private_names(path: Path) -> Iterator[str]:
    """Each `thing._name` of a file, but for those of its own classes."""
    own = {node.attr for node in nodes_of(path) if isinstance(node, ast.Attribute) and is_own(node.value)}
    own |= {found.name for found in functions(path)}
    for node in nodes_of(path):
        if not isinstance(node, ast.Attribute) or not re.match("_[^_]", node.attr) or node.attr in PROMISED | own:
            continue
        if not is_own(node.value):
            yield f"{name_of(path)}:{node.lineno} {ast.unparse(node)}"


def is_own(value: ast.expr) -> bool:
    """Whether it is `self`, `cls` or `super()`."""
    if isinstance(value, ast.Call):
        value = value.func
    return isinstance(value, ast.Name) and value.id in {"self", "cls", "super"}


def test_only_the_modules_that_say_so_use_what_a_library_does_not_promise() -> None:
    sources = [path for path in ours(".py") if name_of(path).startswith(("chat/", "wondercam/"))]
    used = [found for path in sources if name_of(path) not in INSIDE_OF for found in private_names(path)]
    assert used == []


@pytest.mark.parametrize("package", ["Django", "asgiref", "daphne", "Twisted", "aiohttp"])
def test_libraries_whose_inside_is_relied_on_have_an_upper_bound(package: str) -> None:
    (line,) = re.findall(rf"^{package}\b.*", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    assert "<" in line


# What server and page say to each other


def words_of_the_page() -> dict[str, object]:
    """The plain constants that `static/chat/events.js` exports."""
    script = (ROOT / "static" / "chat" / "events.js").read_text()
    found = re.findall(r"^export const ([A-Z_]+) = ([^;]+);$", script, re.MULTILINE)
    return {name: ast.literal_eval(value) for name, value in found}


def test_server_and_page_have_one_vocabulary() -> None:
    page = words_of_the_page()
    server = {name: getattr(events, name) for name in page}
    assert {name: list(word) if isinstance(word, tuple) else word for name, word in server.items()} == page
    assert {"OK_DATA", "DONE", "ENDS", "NOTICES"} <= set(page)


def test_a_status_is_running_or_an_end() -> None:
    assert set(events.STATUSES) == {events.RUNNING, *events.ENDS}
    assert events.text_of(events.decode(events.OK_DATA)) == "OK"


# Settings


def variables_documented(path: Path) -> list[str]:
    pattern = r"^\| `([A-Z][A-Z0-9_]+)` \|" if path.suffix == ".md" else r"^#? ?([A-Z][A-Z0-9_]+)="
    return re.findall(pattern, path.read_text(), re.MULTILINE)


def test_providers_are_given_every_variable_and_no_page_shows_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new provider's variables need no line elsewhere, and what holds all keys has no look."""
    monkeypatch.setenv("ACME_API_KEY", " secret ")
    assert settings.PROVIDERS["ACME_API_KEY"] == "secret"
    assert settings.PROVIDERS.get("ACME_OTHER", "") == ""
    assert "secret" not in repr(settings.PROVIDERS)


# Locks and floors


def entries(lock: Path) -> list[str]:
    """The requirements of a lock file, each with its hashes, on one line."""
    text = re.sub(r"\\\n\s*", "", lock.read_text())
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def pins(lock: Path) -> dict[str, str]:
    return {match[1].lower(): match[2] for line in entries(lock) if (match := re.match(r"([\w.-]+)==([\w.+!]+)", line))}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_locked_package_has_a_version_and_a_hash(lock: Path) -> None:
    exact = re.compile(r"[\w.-]+==[\w.+!]+ .*--hash=sha256:[0-9a-f]{64}")
    assert entries(lock)
    assert [line for line in entries(lock) if not exact.match(line)] == []


def test_the_locks_agree_with_each_other() -> None:
    runtime = pins(ROOT / "requirements.txt")
    for lock in LOCKS:
        if lock.name == "requirements-next.txt":  # what the next Django needs in place of these
            continue
        shared = {name: pin for name, pin in pins(lock).items() if name in runtime}
        assert shared == {name: runtime[name] for name in shared}, lock.name


def test_no_lock_brings_what_needs_a_screen_or_is_large_for_little() -> None:
    """Of rapidocr only its networks are used: what it needs for itself are 170 MB, and with PyTorch 2 GB."""
    locked = set().union(*(pins(lock) for lock in LOCKS))
    assert {"rapidocr", "onnxruntime"} <= locked
    large = {"opencv-python", "opencv-python-headless", "shapely", "torch", "tensorflow"}
    assert locked.isdisjoint({*large, "opencv-contrib-python", "pyside6", "pyqt5", "pyqt6"})


def test_every_page_package_is_locked_with_its_hash() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    installed = {name: entry for name, entry in packages.items() if name}
    assert installed
    assert [name for name, entry in installed.items() if not entry.get("integrity", "").startswith("sha512-")] == []


def test_no_file_names_a_registry() -> None:
    """Where packages come from is the machine's business: a mirror must do as well."""
    hosts = re.compile(
        r"pypi\.(org|python\.org)|files\.pythonhosted|registry\.(npmjs|yarnpkg)|"
        r"^--(extra-)?index-url|^--find-links|\"resolved\": \"http",
        re.MULTILINE,
    )
    text_files = [path for path in tracked() if path.suffix not in {".png", ".jpg", ".gguf", ".woff2", ".ico", ".gz"}]
    named = [
        name_of(path)
        for path in text_files
        if path != Path(__file__) and hosts.search(path.read_text("utf-8", "replace"))
    ]
    assert named == []


@pytest.mark.parametrize(("name", "floor"), FLOORS.items(), ids=FLOORS)
def test_dependency_floors(name: str, floor: str) -> None:
    assert Version(version(name)) >= Version(floor)
    assert Version(pins(ROOT / "requirements.txt")[name.lower()]) >= Version(floor)


# Objects, not module state


def names_of_modules(path: Path) -> set[str]:
    """The names under which a file has imported modules of ours, or of others by `import x`."""
    found: set[str] = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("chat", "wondercam"):
            folder = ROOT.joinpath(*(node.module or "").split("."))
            modules = {a.asname or a.name for a in node.names if (folder / f"{a.name}.py").exists()}
            found |= modules | {a.asname or a.name for a in node.names if (folder / a.name / "__init__.py").exists()}
    return found


def targets(path: Path) -> Iterator[ast.Attribute]:
    """Every attribute that is assigned to or deleted."""
    for node in nodes_of(path):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node


def test_no_module_sets_an_attribute_of_another_one() -> None:
    found = []
    for path in filter(of_the_site, ours(".py")):
        modules = names_of_modules(path)
        found += [
            f"{name_of(path)}:{target.lineno}"
            for target in targets(path)
            if isinstance(target.value, ast.Name) and target.value.id in modules
        ]
    assert found == []


def test_no_function_sets_a_name_of_its_module() -> None:
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in filter(of_the_site, ours(".py"))
        for node in nodes_of(path)
        if isinstance(node, ast.Global)
    ]
    assert found == []
