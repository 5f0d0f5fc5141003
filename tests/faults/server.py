"""`manage.py serve` whose dead workers are replaced at once: the supervisor's patience with workers that die young is
for faults of their own, and here they are killed all the time."""

import sys

from django.core.management import execute_from_command_line

from wondercam.server import supervisor

if __name__ == "__main__":
    supervisor.YOUNG = 0
    execute_from_command_line(["manage.py", *sys.argv[1:]])
