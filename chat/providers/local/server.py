"""Runs llama.cpp's server in this process, on a loopback port. It is loaded once, in a thread.

Requests need a random key that never leaves this process, and no other origin is allowed by CORS. If loading fails, the
next turn tries again. It raises `NotFound` if the engine, a system library or the weights are missing, because the
operator has to install them, and `Unavailable` for other failures, such as too little memory.
"""

import logging
import os
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chat.protocol import errors
from chat.providers.local.weights import Weights

log = logging.getLogger(__name__)

ENGINE = "xllamacpp"
ENGINE_MEND = "`make install`, or `pip install 'wondercam[local]'`,"
BATCH = 16
"""Tokens of a prompt per step. Between steps the server checks whether it should stop, and serves other slots. On one
core it is as fast (110 to 130 tokens/s) as llama.cpp's default of 2,048, which cannot be stopped for seconds."""
BATCH_WITH_PHOTOS = 2048
"""Some models (Gemma 3) use non-causal attention for a photo's tokens: llama.cpp needs all of them in one step."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of the server: `slots` concurrent answers, `context` tokens for each, `threads` for all together."""

    slots: int = 2
    context: int = 2048
    threads: int = 1


@dataclass(slots=True)
class Running:
    """A running server: its base URL, its key, and the object that stops it when it is released."""

    address: str
    key: str = field(repr=False)
    server: Any


def engine() -> Any:
    """Import the package `xllamacpp`. Raises NotFound, which says what to install, if it or a library is missing."""
    try:
        import xllamacpp
    except ModuleNotFoundError:
        sentence = f"The embedded model's engine is not installed on this server: {ENGINE_MEND} does it."
        raise errors.NotFound(sentence) from None
    except ImportError as wrong:
        log.error("The embedded model's engine cannot be loaded: %s", wrong)
        library = str(wrong).partition(":")[0]
        package = " (on Debian: apt-get install libgomp1)" if library.startswith("libgomp") else ""
        sentence = f"The embedded model cannot run on this server: its library {library} is missing{package}."
        raise errors.NotFound(sentence) from None
    return xllamacpp


class Embedded:
    """The embedded server. It is loaded on the first call of `start`; all callers wait for the same load."""

    def __init__(self, shape: Shape, weights: Weights | None = None, engine: Callable[[], Any] = engine) -> None:
        self.shape = shape
        self.weights = weights or Weights()
        self._engine = engine
        self._lock = threading.Lock()
        self._loading: Future[Running] | None = None

    def start(self) -> Future[Running]:
        """Return a future of the running server; loading starts if it has not, or if it has failed. The future raises
        NotFound or Unavailable."""
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
        except Exception as error:  # the library documents none of its exceptions, and users need a sentence
            log.exception("The embedded model could not be loaded")
            loading.set_exception(errors.Unavailable(self._failure(error), retry_after=30))

    def _failure(self, error: Exception) -> str:
        what = "could not be loaded on this server"
        if self.weights.sees:
            what += " with its projector (LOCAL_MMPROJ), which may be that of another model"
        return f"The embedded model {what} ({type(error).__name__})."

    def _run(self) -> Running:
        model, projector = self.weights.model_file(), self.weights.projector_file()
        xllamacpp = self._engine()
        key = secrets.token_urlsafe(32)
        server = xllamacpp.Server(self._params(xllamacpp.CommonParams(), key, model, projector))
        return Running(str(server.listening_address).rstrip("/"), key, server)

    def _params(self, params: Any, key: str, model: Path, projector: Path | None) -> Any:
        params.model.path = str(model)
        if projector is not None:
            params.mmproj.path = str(projector)
            params.mmproj_use_gpu = False
        params.n_parallel, params.n_ctx = self.shape.slots, self.shape.slots * self.shape.context
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.shape.threads
        params.n_batch = params.n_ubatch = BATCH_WITH_PHOTOS if projector else max(BATCH, self.shape.slots)
        params.n_threads_http = 2 * self.shape.slots + 2
        params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [key]
        params.cors_origins, params.cors_origins_explicit = "http://wondercam.invalid", True
        params.cors_credentials = False
        params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
        params.cache_ram_mib = 0
        params.n_gpu_layers = 0
        params.verbosity = 0
        return params

    def stop(self) -> None:
        """Stop the server. It blocks for a moment: call it in a thread."""
        with self._lock:
            loading, self._loading = self._loading, None
        if loading is not None and loading.done() and loading.exception() is None:
            loading.result().server = None


def threads() -> int:
    """Return the default number of threads: all usable cores except one, which the event loop needs."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable - 1)
