#!/bin/sh
# Installs the programs the tests drive, where that is possible without asking: as root on Debian.
# Elsewhere it does nothing, and the tests that need a missing program say so by name.
set -u
missing=""
command -v chromium-headless-shell >/dev/null || missing="$missing chromium-headless-shell"
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
command -v firefox-esr >/dev/null || command -v firefox >/dev/null || missing="$missing firefox-esr"
command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
command -v redis-server >/dev/null || missing="$missing redis-server"
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing="$missing nginx"
command -v cc >/dev/null || command -v gcc >/dev/null || missing="$missing gcc libc6-dev"
if [ -n "${WONDERCAM_TEST_SOAK:-}" ]; then # tests/servers/test_real_proxies.py
    for proxy in haproxy apache2 squid caddy lighttpd; do
        command -v "$proxy" >/dev/null || [ -x "/usr/sbin/$proxy" ] || missing="$missing $proxy"
    done
    command -v varnishd >/dev/null || [ -x /usr/sbin/varnishd ] || missing="$missing varnish"
fi
[ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || exit 0

echo "Installing for the tests:$missing"
log="${TMPDIR:-/tmp}/wondercam-apt-get.log"
# RUNLEVEL=1: the packages' own services need not start; each test starts its own.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get update >"$log" 2>&1
for package in $missing; do # one by one: another Debian may lack one of them
    apt-get install -y --no-install-recommends "$package" >>"$log" 2>&1 || echo "apt-get could not install $package: see $log" >&2
done
