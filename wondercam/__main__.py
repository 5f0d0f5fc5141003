"""`python -m wondercam` runs the command `wondercam`."""

import sys

from wondercam.commandline import main

if __name__ == "__main__":
    sys.exit(main())
