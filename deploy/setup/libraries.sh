#!/bin/sh
# Checks that the embedded model's engine finds its shared libraries, and installs the one that minimal systems lack
# (libgomp1) where that is possible without asking: as root on Debian. Elsewhere it names the command.
#   deploy/setup/libraries.sh PYTHON       status 0 when the engine can be loaded
set -u
python=$1
engine() { "$python" -c 'import xllamacpp' 2>&1; }

wrong=$(engine) && exit 0
case "$wrong" in
*libgomp*) ;;
*) printf 'The embedded model cannot be used here: %s\n' "$(printf '%s' "$wrong" | tail -n 1)" >&2; exit 1 ;;
esac
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing libgomp1, which the embedded model needs"
    log="${TMPDIR:-/tmp}/wondercam-apt-get.log"
    # An update that fails is not the end: the lists that are there may do.
    { apt-get update; DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libgomp1; } \
        >"$log" 2>&1 && engine >/dev/null && exit 0
    echo "apt-get could not install libgomp1: see $log" >&2
fi
cat >&2 <<'SENTENCE'
The embedded model cannot be used here: the system's library libgomp is missing. Install it, then run this again:
  Debian, Ubuntu:  sudo apt-get install libgomp1
  Fedora, RHEL:    sudo dnf install libgomp
Models of other servers (docs/providers.md) work without it.
SENTENCE
exit 1
