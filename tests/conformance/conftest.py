"""The scripted model, and a server before it."""

from tests.faults.arena import arena, upstream_port

__all__ = ["arena", "upstream_port"]
