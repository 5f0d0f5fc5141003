#!/bin/sh
# Prints the first Python that WonderCam runs on and that can make virtual environments; else says what to install.
#   deploy/setup/python.sh [PYTHON]        PYTHON: the one to use, in place of those on the PATH
#   OLDEST=3.12 deploy/setup/python.sh     for what needs a newer one
set -u
oldest=${OLDEST:-3.11} newest=3.14
version='import sys; print("%d.%d" % sys.version_info[:2])'
fits="import sys; sys.exit(not (3, ${oldest#3.}) <= sys.version_info[:2] <= (3, ${newest#3.}))"

refused=""
for python in ${1:-python3 python3.14 python3.13 python3.12 python3.11}; do
    found=$("$python" -c "$version" 2>/dev/null) || continue
    if ! "$python" -c "$fits"; then
        refused="$refused $python is Python $found."
    elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$python cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2
        exit 1
    else
        command -v "$python"
        exit 0
    fi
done
echo "WonderCam needs Python $oldest to $newest.${refused:- None was found.}" >&2
echo "Install one (Debian, Ubuntu: sudo apt-get install python3-venv), or name one: make PYTHON=/path/to/python3 run" >&2
exit 1
