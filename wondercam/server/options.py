"""The options of the server, from environment variables."""

from dataclasses import dataclass

from django.conf import settings

from wondercam.env import envint, envstr
from wondercam.server.proxies import NOBODY, Proxies


@dataclass(frozen=True, slots=True)
class Options:
    """Times in seconds, sizes in bytes."""

    drain: float = 30
    """How long running streams may continue after the server was asked to stop."""
    afterwards: float = 5
    """Additional time: for the application to commit interrupted streams, then for responses to end."""
    body_bytes: int = 8 * 1024 * 1024
    """The largest request body, if the application sets no limit for it; larger ones are refused with 413."""
    bodies_bytes: int = 64 * 1024 * 1024
    """The limit of all bodies in flight together; a large one beyond it is refused with 503."""
    header_time: float = 10
    """From the first byte of a request to the end of its headers."""
    body_time: float = 30
    """For a body, in addition to the time that `BODY_RATE` allows for the bytes that have arrived."""
    idle_time: float = 60
    """How long a connection may wait for its next request."""
    stalled_time: float = 120
    """How long a peer may accept none of the bytes that are queued for it."""
    close_time: float = 10
    """How long the application may continue after its client has disconnected; then it is cancelled."""
    proxies: Proxies = NOBODY
    tick: float = 1
    """The interval at which all deadlines are checked."""

    @classmethod
    def from_environment(cls) -> "Options":
        """Read the environment. Raises ImproperlyConfigured, which names the variable."""
        return cls(
            drain=settings.DRAIN_SECONDS,
            bodies_bytes=envint("WONDERCAM_LIMIT_BODIES_BYTES"),
            header_time=envint("WONDERCAM_LIMIT_HEADER_SECONDS"),
            body_time=envint("WONDERCAM_LIMIT_BODY_SECONDS"),
            idle_time=envint("WONDERCAM_LIMIT_KEEPALIVE_SECONDS"),
            stalled_time=envint("WONDERCAM_LIMIT_STALLED_SECONDS"),
            proxies=Proxies.parse(envstr("WONDERCAM_TRUSTED_PROXIES")),
        )
