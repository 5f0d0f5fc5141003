"""Fixtures of the journeys."""

from tests.faults.arena import arena, upstream_port

__all__ = ["arena", "upstream_port"]
