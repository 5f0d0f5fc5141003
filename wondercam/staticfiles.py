"""The static files: those in `static/`, and from npm packages only the files that a browser loads.

Without DEBUG every file is served with a hash in its name, cacheable for ever, and compressed with gzip and Brotli by
`collectstatic`. Import lines in modules end in `;` and form no cycle, because the storage rewrites them (Django's
`support_js_module_import_aggregation`). With DEBUG files are served from their sources, so that a reload shows changes,
and compressed on demand (`CompressedCopies`).

`modules_of` lists the modules that an entry imports, which the page preloads (templatetags/modules.py).
"""

import gzip
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from posixpath import normpath
from shutil import rmtree
from tempfile import mkdtemp
from threading import get_ident
from typing import Any
from weakref import finalize

from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.files.storage import FileSystemStorage
from django.utils.functional import cached_property
from servestatic.storage import CompressedManifestStaticFilesStorage

HIGHLIGHTED = (
    "bash c cpp csharp css dart diff dockerfile elixir go graphql haskell ini java javascript json julia "
    "kotlin latex less lua makefile markdown matlab nginx objectivec perl php php-template powershell protobuf "
    "python python-repl r ruby rust scala scss shell sql swift typescript vbnet wasm xml yaml"
)
"""The languages of `static/chat/languages.js`."""

PACKAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "temml": ("temml/dist", ("temml.mjs",)),
    "eventsource-parser": ("eventsource-parser/dist", ("index.js", "index.js.map")),
    "highlight": (
        "@highlightjs/cdn-assets/es",
        ("core.min.js", *(f"languages/{name}.min.js" for name in HIGHLIGHTED.split())),
    ),
    "instrument-sans": (
        "@fontsource-variable/instrument-sans/files",
        tuple(
            f"instrument-sans-{subset}-wght-{style}.woff2"
            for subset in ("latin", "latin-ext")
            for style in ("normal", "italic")
        ),
    ),
    "jetbrains-mono": (
        "@fontsource-variable/jetbrains-mono/files",
        ("jetbrains-mono-latin-wght-normal.woff2",),
    ),
}
"""`vendor/<name>/…` → the folder in `node_modules`, and its files that are served."""


IMPORTED: dict[str, str] = {
    "eventsource-parser": "vendor/eventsource-parser/index.js",
    "actions": "chat/actions.js",
    "answer": "chat/answer_text.js",
    "camera": "chat/camera/viewfinder.js",
    "countdown": "chat/countdown.js",
    "deletion": "chat/deletion.js",
    "feedback": "chat/feedback.js",
    "installation": "chat/installation.js",
    "instruction": "chat/instruction.js",
    "message-queue": "chat/message_queue.js",
    "own-keys": "chat/own_keys.js",
    "highlight": "vendor/highlight/core.min.js",
    "languages": "chat/languages.js",
    "photo": "chat/camera/photo_viewer.js",
    "photos": "chat/photos.js",
    "switcher": "chat/switcher.js",
    "photos-shown": "chat/camera/photo_loader.js",
    "printing": "chat/printing.js",
    "replay": "chat/replay/own.js",
    "settings": "chat/settings.js",
    "shared-feed": "chat/shared_feed.js",
    "temml": "vendor/temml/temml.mjs",
    "row-tools": "chat/row_tools.js",
    "voice": "chat/voice/voice.js",
}
"""The page's import map: modules of packages, and modules that are loaded on demand."""
IMPORT_LINE = re.compile(r'^(?:import|\} from)\b[^"]*"([^"]+)";$', re.MULTILINE)
COMPRESSED = {".css", ".js", ".map", ".mjs", ".svg", ".webmanifest"}


RESOLVED = (r'(?P<matched>import\.meta\.resolve\("(?P<url>\.[^"]+)"\))', 'import.meta.resolve("%(url)s")')


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Adds hashes to file names, also in the import lines of ES modules and in `import.meta.resolve("./…")`.

    `import("…")` is not rewritten: in code it has a name of the import map, and in comments it is a type.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "*.js",
        (
            *(
                pattern  # (expression, template), and a third part since Django 6.1
                for pattern in CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]
                if not pattern[1].startswith("import(")
            ),
            RESOLVED,
        ),
    )


class PackageFinder(finders.BaseFinder):
    """Finds the files of PACKAGES as `vendor/<name>/<file>`."""

    def __init__(self, app_names: Iterable[str] | None = None, *args: Any, **kwargs: Any) -> None:
        self.storages: dict[str, FileSystemStorage] = {}
        for name, (folder, _) in PACKAGES.items():
            storage = FileSystemStorage(location=settings.BASE_DIR / "node_modules" / folder)
            storage.prefix = f"vendor/{name}"  # type: ignore[attr-defined]
            self.storages[name] = storage

    def check(self, **kwargs: Any) -> list[Any]:
        """Return no messages: whether the packages are installed is not checked here."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """Return the file's full path, or with `find_all` a list of it; [] if there is no such file."""
        area, _, rest = path.replace("\\", "/").partition("/")
        name, _, file = rest.partition("/")
        if area != "vendor" or name not in PACKAGES or file not in PACKAGES[name][1]:
            return []
        found = self.storages[name].path(file)
        if not Path(found).is_file():
            return []
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Yield every file with its storage, for `collectstatic`."""
        for name, (_, files) in PACKAGES.items():
            for file in files:
                if self.storages[name].exists(file):
                    yield file, self.storages[name]


def modules_of(*entries: str) -> list[str]:
    """Return these modules and all that they import, without duplicates, in breadth-first order.

    Dynamic imports, `import("…")`, are not included.
    """
    found = dict.fromkeys(entries)
    waiting = list(entries)
    while waiting:
        name = waiting.pop(0)
        for written in IMPORT_LINE.findall(source_of(name).read_text()):
            imported = str(Path(name).parent / written) if written.startswith(".") else IMPORTED[written]
            imported = normpath(imported)
            if imported not in found:
                found[imported] = None
                waiting.append(imported)
    return list(found)


def source_of(name: str) -> Path:
    """Return the path of a static file: its source, or in a wheel the collected file. Raises ValueError."""
    path = Path(str(finders.find(name) or Path(settings.STATIC_ROOT) / name))
    if not path.is_file():
        raise ValueError(f"{name} is no file of the site.")
    return path


class CompressedCopies:
    """gzip copies of source files, made on first use and again after changes."""

    @cached_property
    def folder(self) -> Path:
        """The folder of the copies, which is removed with this object."""
        made = mkdtemp(prefix="wondercam-static-")
        finalize(self, rmtree, made, ignore_errors=True)
        return Path(made)

    def of(self, path: str) -> str | None:
        """Return the copy's path; None for file types that are not compressed, and for missing files."""
        file = Path(path)
        if file.suffix not in COMPRESSED or not file.is_file():
            return None
        state = file.stat()
        copy = self.folder / f"{sha256(path.encode()).hexdigest()}.{state.st_mtime_ns}.{state.st_size}.gz"
        if not copy.exists():
            unfinished = copy.with_name(f"{copy.name}.{get_ident()}")
            unfinished.write_bytes(gzip.compress(file.read_bytes(), mtime=0))
            unfinished.replace(copy)
        return str(copy)
