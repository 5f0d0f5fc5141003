"""Django's mail settings for `WONDERCAM_EMAIL_URL`: an SMTP server, or standard output without one."""

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

HOW = "write smtp://user:password@mail.example.com:587 (STARTTLS), or smtps:// for TLS from the beginning."
PORTS = {"smtp": 587, "smtps": 465}
SECONDS = 10


@dataclass(frozen=True, slots=True)
class MailServer:
    """Django's EMAIL_… settings."""

    backend: str = "django.core.mail.backends.console.EmailBackend"
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False

    @classmethod
    def of(cls, url: str) -> "MailServer":
        """Parse the URL. Raises ImproperlyConfigured, without the URL in it, because it may contain a password."""
        if not url:
            return cls()
        try:
            found = urlsplit(url)
            port = found.port or PORTS[found.scheme]
        except (ValueError, KeyError):
            raise ImproperlyConfigured(f"WONDERCAM_EMAIL_URL cannot be read: {HOW}") from None
        if not found.hostname:
            raise ImproperlyConfigured(f"WONDERCAM_EMAIL_URL names no server: {HOW}")
        return cls(
            backend="django.core.mail.backends.smtp.EmailBackend",
            host=found.hostname,
            port=port,
            user=unquote(found.username or ""),
            password=unquote(found.password or ""),
            # A relay on this machine may have no certificate.
            starttls=found.scheme == "smtp" and found.hostname not in ("localhost", "127.0.0.1", "::1"),
            tls=found.scheme == "smtps",
        )
