"""What the tests of faults share."""

from tests.faults.arena import arena

__all__ = ["arena"]
