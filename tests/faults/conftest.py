"""What the tests of faults share."""

from tests.faults.arena import arena, upstream_port
from tests.soak import SOAK

__all__ = ["arena", "upstream_port"]

collect_ignore = [] if SOAK else ["test_installed.py"]
"""What takes minutes: `make soak`."""
