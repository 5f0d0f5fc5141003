"""The page's files: ours from `static/`, and of the npm packages only what a browser loads.

Without DEBUG every file is served under a name that holds its hash, for ever. Import lines in our modules end in
`;` and form no cycle, since the storage rewrites them (Django's `support_js_module_import_aggregation`).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.storage import FileSystemStorage

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


class HashedStorage(ManifestStaticFilesStorage):
    """Names with hashes, in ES modules' import lines too.

    `import("…")` is left as it is written: in code it names a package, which the page's import map knows, and in
    a comment it is a type.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "*.js",
        tuple(
            pattern  # (expression, template), and a third part since Django 6.1
            for pattern in ManifestStaticFilesStorage._js_module_import_aggregation_patterns[1]  # type: ignore[attr-defined]
            if not pattern[1].startswith("import(")
        ),
    )


class PackageFinder(BaseFinder):
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
