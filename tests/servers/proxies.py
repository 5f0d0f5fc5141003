"""Real proxies in front of WonderCam, each with the configuration that a test gives it, on a port of its own.

    with running(proxy, block, origin, folder) as port: …

In a block ORIGIN is WonderCam's address (`host:port`), PORT the proxy's own, FOLDER a folder for its files.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import Process, accepts, free_port, program, wait_until

HAPROXY = """
global
    log stderr local0 emerg
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    {defaults}
frontend readers
    bind 127.0.0.1:PORT {bind}
    {frontend}
    default_backend wondercam
backend wondercam
    {backend}
    server one ORIGIN
"""
APACHE = """
ServerRoot FOLDER
ServerName 127.0.0.1
Listen 127.0.0.1:PORT
PidFile FOLDER/apache.pid
ErrorLog FOLDER/apache.log
Mutex file:FOLDER
LoadModule mpm_event_module MODULES/mod_mpm_event.so
LoadModule authz_core_module MODULES/mod_authz_core.so
LoadModule proxy_module MODULES/mod_proxy.so
LoadModule proxy_http_module MODULES/mod_proxy_http.so
LoadModule env_module MODULES/mod_env.so
LoadModule headers_module MODULES/mod_headers.so
LoadModule filter_module MODULES/mod_filter.so
LoadModule deflate_module MODULES/mod_deflate.so
LoadModule substitute_module MODULES/mod_substitute.so
LoadModule buffer_module MODULES/mod_buffer.so
LoadModule reqtimeout_module MODULES/mod_reqtimeout.so
ProxyPass / http://ORIGIN/ {options}
{inside}
"""
VARNISH = """
vcl 4.1;
import std;
backend wondercam {{ .host = "HOST"; .port = "ORIGINPORT"; .between_bytes_timeout = {idle}; }}
sub vcl_recv {{ {recv} }}
sub vcl_backend_response {{ {response} }}
"""
SQUID = """
http_port 127.0.0.1:PORT accel defaultsite=127.0.0.1 no-vhost
cache_peer HOST parent ORIGINPORT 0 no-query originserver name=wondercam {peer}
http_access allow all
pid_filename FOLDER/squid.pid
cache_log FOLDER/squid.log
access_log none
coredump_dir FOLDER
cache_mem 8 MB
shutdown_lifetime 0 seconds
pinger_enable off
{inside}
"""
CADDY = """
{{
    admin off
    storage file_system FOLDER/caddy
    skip_install_trust
    auto_https disable_redirects
    {options}
}}
{site} {{
    {inside}
}}
"""
LIGHTTPD = """
server.document-root = "FOLDER"
server.bind = "127.0.0.1"
server.port = PORT
server.errorlog = "FOLDER/lighttpd.log"
server.modules = ( "mod_proxy", "mod_deflate" )
proxy.server = ( "" => ( ( "host" => "HOST", "port" => ORIGINPORT ) ) )
{inside}
"""


@dataclass(frozen=True)
class Program:
    """How a proxy is started: what its program is called, in which package it is, and its arguments."""

    name: str
    package: str
    arguments: Callable[[str, int], list[str]]


PROGRAMS = {
    "HAProxy": Program("haproxy", "haproxy", lambda config, port: ["-db", "-f", config]),
    "Apache": Program("apache2", "apache2", lambda config, port: ["-DFOREGROUND", "-f", config]),
    "Varnish": Program(
        "varnishd",
        "varnish",
        lambda config, port: ["-j", "none", "-F", "-a", f"127.0.0.1:{port}", "-f", config, "-s", "malloc,32m"],
    ),
    "Squid": Program("squid", "squid", lambda config, port: ["-N", "-f", config]),
    "Caddy": Program("caddy", "caddy", lambda config, port: ["run", "--adapter", "caddyfile", "--config", config]),
    "lighttpd": Program("lighttpd", "lighttpd", lambda config, port: ["-D", "-f", config]),
}
MODULES = "/usr/lib/apache2/modules"


@contextlib.contextmanager
def running(proxy: str, block: str, origin: str, folder: Path) -> Iterator[int]:
    """The proxy's port; skips the test by name where the program is not installed."""
    known, port = PROGRAMS[proxy], free_port()
    command = program([known.name], known.package, [Path("/usr/sbin") / known.name])
    host, _, number = origin.rpartition(":")
    words = {"ORIGINPORT": number, "ORIGIN": origin, "HOST": host, "PORT": str(port), "FOLDER": str(folder)}
    for name, value in {**words, "MODULES": MODULES}.items():
        block = block.replace(name, value)
    config = folder / f"{known.name}.conf"
    config.write_text(block)
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(folder)}
    arguments = known.arguments(str(config), port)
    arguments += ["-n", str(folder / "varnish")] if known.name == "varnishd" else []
    process = Process([command, *arguments], env=env, cwd=folder)
    try:
        wait_until(lambda: accepts(port) or not process.running, f"{proxy} accepts connections")
        if not process.running:
            raise RuntimeError(f"{proxy} ended:\n{process.log}\n{block}")
        yield port
    finally:
        process.kill9()
