"""What can be set on the server, by environment variable."""

from dataclasses import dataclass

from django.conf import settings

from wondercam.env import envint, envstr
from wondercam.server.proxies import NOBODY, Proxies


@dataclass(frozen=True, slots=True)
class Options:
    """Times in seconds, sizes in bytes."""

    drain: float = 30
    """How long the application may take to end what runs, once asked to stop."""
    afterwards: float = 5
    """Beyond it: for the application to commit what it cut short, then for responses to end."""
    body_bytes: int = 8 * 1024 * 1024
    """The largest request body where the application has no rule of its own; more is refused with 413."""
    bodies_bytes: int = 64 * 1024 * 1024
    """All bodies in flight together; a large one that is over it is refused with 503."""
    header_time: float = 10
    """From the first byte of a request to the end of its headers."""
    body_time: float = 30
    """For a body, beside the time that `BODY_RATE` gives to what has arrived of it."""
    idle_time: float = 60
    """How long a connection may wait for its next request."""
    stalled_time: float = 120
    """How long a peer may take nothing of what waits for it."""
    close_time: float = 10
    """How long an application may go on after its client went; then it is cancelled."""
    proxies: Proxies = NOBODY
    tick: float = 1
    """Between two looks at all deadlines."""

    @classmethod
    def from_environment(cls) -> "Options":
        """ImproperlyConfigured names the variable that is wrong."""
        return cls(
            drain=settings.DRAIN_SECONDS,
            bodies_bytes=envint("WONDERCAM_LIMIT_BODIES_BYTES"),
            header_time=envint("WONDERCAM_LIMIT_HEADER_SECONDS"),
            body_time=envint("WONDERCAM_LIMIT_BODY_SECONDS"),
            idle_time=envint("WONDERCAM_LIMIT_KEEPALIVE_SECONDS"),
            stalled_time=envint("WONDERCAM_LIMIT_STALLED_SECONDS"),
            proxies=Proxies.parse(envstr("WONDERCAM_TRUSTED_PROXIES")),
        )
