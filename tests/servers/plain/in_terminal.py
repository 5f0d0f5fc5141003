"""Runs a command as the leader of a session whose terminal is its standard input, as a shell's `exec` does."""

import fcntl
import os
import sys
import termios

os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
