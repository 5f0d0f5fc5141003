"""Fixtures of the tests of faults."""

from tests.faults.arena import arena, upstream_port
from tests.soak import SOAK

__all__ = ["arena", "upstream_port"]

collect_ignore = [] if SOAK else ["test_installed.py", "test_spoken.py"]
"""What takes minutes, or bounds that mean something on a quiet machine only: `make soak`."""
