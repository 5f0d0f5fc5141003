"""Google's token endpoint and a service account for it: the real `google-auth` signs, this checks."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.server import Reply, Request, Server

AUDIENCE = "https://oauth2.googleapis.com/token"  # google-auth signs for it whatever the account's token_uri says
EMAIL = "wondercam@fake.iam.gserviceaccount.com"


class TokenServer(Server):
    """Gives `token-1`, `token-2` … to whoever signs as the service account; `lifetime` is theirs in seconds."""

    def __init__(self, lifetime: int = 3600, status: int = 200) -> None:
        super().__init__(self.give)
        self.lifetime = lifetime
        self.status = status
        self.given = 0
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def write_account(self, path: Path) -> Path:
        """The service account's file, as Google's console gives it."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        account = {
            "type": "service_account",
            "project_id": "fake",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": EMAIL,
            "client_id": "1",
            "token_uri": f"{self.url}/token",
        }
        path.write_text(json.dumps(account))
        return path

    async def give(self, request: Request, reply: Reply) -> None:
        """A token for a good assertion."""
        if self.status != 200:
            await reply.whole(self.status, {"error": "invalid_grant", "error_description": "SECRET account"})
            return
        assertion = parse_qs(request.body.decode())["assertion"][0]
        claims = jwt.decode(assertion, self._key.public_key(), algorithms=["RS256"], audience=AUDIENCE)
        assert claims["iss"] == EMAIL
        assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
        self.given += 1
        token = {"access_token": f"token-{self.given}", "expires_in": self.lifetime, "token_type": "Bearer"}
        await reply.whole(200, token)
