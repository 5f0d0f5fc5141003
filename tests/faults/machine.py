"""`manage.py serve` as on a machine of its own: under the host name given first, by which leases know their workers."""

import socket
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    name, *words = sys.argv[1:]
    socket.gethostname = lambda: name
    execute_from_command_line(["manage.py", *words])
