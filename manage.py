#!/usr/bin/env python
"""Run one of Django's or WonderCam's commands."""

import sys

from wondercam.commandline import run

if __name__ == "__main__":
    sys.exit(run(sys.argv))
