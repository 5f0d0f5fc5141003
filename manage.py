#!/usr/bin/env python
"""Run one of Django's or WonderCam's commands. A wrong setting ends it with the sentence that says which."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> int:
    """Run the command line; exit status 1 on a setting that cannot be used."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wondercam.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        print(f"WonderCam cannot start: {wrong}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
