"""The server. The order is that of docs/settings.md."""

from wondercam.variables.variable import Variable

TITLE = "The server"
INTRODUCTION = ""

VARIABLES = (
    Variable(
        "HOST",
        "127.0.0.1",
        "The address `serve` listens on; `0.0.0.0` for all",
        wrong="an address this machine does not have",
    ),
    Variable(
        "PORT",
        18_000,
        "The port `serve` listens on; `0` for any free one",
        wrong="no whole number, above 65535; a port in use",
        least=0,
        most=65535,
    ),
    Variable("WEB_WORKERS", 1, "Processes that share the port", wrong="no whole number from 1 to 64", least=1, most=64),
    Variable(
        "WONDERCAM_DRAIN_SECONDS",
        30,
        (
            "After SIGTERM, SIGHUP or Ctrl-C, how long running answers may go on before they are handed over to "
            "another worker (`WONDERCAM_CONTINUE`), or end as interrupted"
        ),
        wrong="no whole number",
    ),
    Variable(
        "WONDERCAM_LEASE_SECONDS",
        2,
        (
            "How often a worker renews the leases of the answers it writes. One whose worker is silent for three to "
            "four times as long goes on at another worker (`WONDERCAM_CONTINUE`), or is ended as interrupted by it "
            "`WONDERCAM_COMMIT_SECONDS` later. The same on all workers of a site"
        ),
        wrong="no whole number from 1 up",
        least=1,
    ),
    Variable(
        "WONDERCAM_COMMIT_SECONDS",
        15,
        (
            "For how long the log tries to store events while the database cannot be reached or is locked; then the "
            "answers that wait end as interrupted"
        ),
        wrong="no whole number from 1 up",
        least=1,
    ),
    Variable(
        "WONDERCAM_TRUSTED_PROXIES",
        None,
        (
            "The proxies in front whose word about the client's address is believed: how many (`1`), or their "
            "networks (`10.0.0.0/8, 192.0.2.7`)"
        ),
        shown="none",
        wrong="anything that is neither",
    ),
    Variable(
        "WONDERCAM_LOG",
        "text",
        "The form of the log's lines on standard error: `text` for people, `json` for programs",
        wrong="another word",
    ),
    Variable(
        "WONDERCAM_LOG_LEVEL",
        "info",
        (
            "What is logged: `info` is a line for each request and each stream's end, `warning` only what went "
            "wrong, `debug` also what monitors ask"
        ),
        wrong="another word than `debug`, `info`, `warning`, `error`",
    ),
    Variable(
        "WONDERCAM_METRICS_TOKEN",
        None,
        (
            "Whoever sends it as a Bearer token may read `/metrics`; without one only this machine may, and no proxy "
            "that says so of itself"
        ),
        shown="none",
        wrong="a space in it, or a letter that is not ASCII",
    ),
    Variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        None,
        (
            "Where a span and metrics of each turn are sent by OTLP over HTTP, such as `http://127.0.0.1:4318`; needs "
            "the extra `otel`. OpenTelemetry's other variables hold, too (docs/operators.md)"
        ),
        shown="none: nothing is sent",
        wrong="anything but `http://…` or `https://…`",
    ),
    Variable("OTEL_SERVICE_NAME", "wondercam", "What this site is called there"),
    Variable(
        "WONDERCAM_OTEL_CONTENT",
        False,
        "On sends what was asked and answered along with the spans",
        wrong="anything but a switch",
    ),
)
