"""What the tests of faults share."""

import os

from tests.faults.arena import arena

__all__ = ["arena"]

collect_ignore = [] if os.environ.get("WONDERCAM_TEST_SOAK") else ["test_installed.py"]
"""What takes minutes: `make soak`."""
