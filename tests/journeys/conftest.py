"""What the journeys share."""

from tests.faults.arena import arena, upstream_port

__all__ = ["arena", "upstream_port"]
