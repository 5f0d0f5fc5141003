"""Whether `make soak` runs the tests: a quiet machine with time, on which bounds on seconds mean something."""

import os

SOAK = bool(os.environ.get("WONDERCAM_TEST_SOAK"))
