"""What the journeys share."""

from tests.faults.arena import arena

__all__ = ["arena"]
