"""The page's files: ours from `static/`, and of the npm packages only what a browser loads.

Without DEBUG every file is served under a name that holds its hash, for ever, compressed with gzip and Brotli by
`collectstatic`. Import lines in our modules end in `;` and form no cycle, since the storage rewrites them (Django's
`support_js_module_import_aggregation`). With DEBUG files come from where they are, so that an edit shows after a
reload, compressed when they are asked for (`CompressedCopies`).

`modules_of` tells which modules an entry imports: the page names them all, so that a browser asks for them at once
(templatetags/modules.py).
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

PACKAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "temml": ("temml/dist", ("temml.mjs",)),
    "eventsource-parser": ("eventsource-parser/dist", ("index.js", "index.js.map")),
    "highlight": ("@highlightjs/cdn-assets/es", ("highlight.min.js",)),
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
"""`vendor/<name>/…` in the site: the folder in `node_modules`, and its files that are served."""


IMPORTED: dict[str, str] = {
    "eventsource-parser": "vendor/eventsource-parser/index.js",
    "actions": "chat/actions.js",
    "answer": "chat/answer_text.js",
    "camera": "chat/camera/viewfinder.js",
    "feedback": "chat/feedback.js",
    "installation": "chat/installation.js",
    "instruction": "chat/instruction.js",
    "message-queue": "chat/message_queue.js",
    "highlight": "vendor/highlight/highlight.min.js",
    "photo-file": "chat/photo_file.js",
    "photo": "chat/camera/photo_viewer.js",
    "switcher": "chat/switcher.js",
    "photos-shown": "chat/camera/photo_loader.js",
    "replay": "chat/replay/own.js",
    "settings": "chat/settings.js",
    "shared-feed": "chat/shared_feed.js",
    "title-field": "chat/title_field.js",
    "temml": "vendor/temml/temml.mjs",
    "voice": "chat/voice/voice.js",
}
"""The page's import map: what modules call by a name, since it is another's, or loaded only when it is needed."""
IMPORT_LINE = re.compile(r'^(?:import|\} from)\b[^"]*"([^"]+)";$', re.MULTILINE)
COMPRESSED = {".css", ".js", ".map", ".mjs", ".svg", ".webmanifest"}


class HashedStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Names with hashes, in ES modules' import lines too.

    `import("…")` is left as it is written: in code it names a package, which the page's import map knows, and in
    a comment it is a type.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "*.js",
        tuple(
            pattern  # (expression, template), and a third part since Django 6.1
            for pattern in CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]
            if not pattern[1].startswith("import(")
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
        """Whether the packages are installed is the set-up's matter."""
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        """The file's full path, or a list with it where all are wanted; an empty list when it is none of ours."""
        area, _, rest = path.replace("\\", "/").partition("/")
        name, _, file = rest.partition("/")
        if area != "vendor" or name not in PACKAGES or file not in PACKAGES[name][1]:
            return []
        found = self.storages[name].path(file)
        if not Path(found).is_file():
            return []
        return [found] if find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, FileSystemStorage]]:
        """Every file with the storage that reads it, for `collectstatic`."""
        for name, (_, files) in PACKAGES.items():
            for file in files:
                if self.storages[name].exists(file):
                    yield file, self.storages[name]


def modules_of(*entries: str) -> list[str]:
    """These modules of the site and all that they import, each once, in the order in which a browser finds them.

    What is imported by a call, `import("…")`, is none of them: it is loaded when it is needed.
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
    """A file of the site as it was written: where it is, or, in a wheel, as it was collected. Raises ValueError."""
    path = Path(str(finders.find(name) or Path(settings.STATIC_ROOT) / name))
    if not path.is_file():
        raise ValueError(f"{name} is no file of the site.")
    return path


class CompressedCopies:
    """gzip copies of source files, made when they are first asked for and again once they have changed."""

    @cached_property
    def folder(self) -> Path:
        """Where they are, as long as this object is."""
        made = mkdtemp(prefix="wondercam-static-")
        finalize(self, rmtree, made, ignore_errors=True)
        return Path(made)

    def of(self, path: str) -> str | None:
        """The copy's path; None for what is compressed already or is no file."""
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
