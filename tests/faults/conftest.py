"""Fixtures of the tests of faults."""

from tests.faults.arena import arena, upstream_port

__all__ = ["arena", "upstream_port"]
