"""The server. The order is that of docs/settings.md."""

from wondercam.variables.variable import Variable

TITLE = "The server"
INTRODUCTION = ""

VARIABLES = (
    Variable(
        "HOST",
        "127.0.0.1",
        "The address that `serve` listens on; `0.0.0.0` for all",
        wrong="an address this machine does not have",
    ),
    Variable(
        "PORT",
        18_000,
        "The port that `serve` listens on; `0` for any free one",
        wrong="not a whole number up to 65535; a port in use",
        least=0,
        most=65535,
    ),
    Variable(
        "WEB_WORKERS", 1, "Processes that share the port", wrong="not a whole number from 1 to 64", least=1, most=64
    ),
    Variable(
        "WONDERCAM_DRAIN_SECONDS",
        30,
        (
            "Seconds for which running answers may go on after SIGTERM, SIGHUP or Ctrl-C, before they are handed over "
            "to another worker (`WONDERCAM_CONTINUE`) or end as interrupted"
        ),
        wrong="not a whole number",
    ),
    Variable(
        "WONDERCAM_LEASE_SECONDS",
        2,
        (
            "Seconds between a worker's renewals of the leases of its answers. If a worker renews none for three to "
            "four times as long, another one takes its answers over (`WONDERCAM_CONTINUE`), or "
            "`WONDERCAM_COMMIT_SECONDS` later ends them as interrupted. It has to be the same on all workers of a site"
        ),
        wrong="not a whole number from 1 up",
        least=1,
    ),
    Variable(
        "WONDERCAM_COMMIT_SECONDS",
        15,
        (
            "Seconds for which the log retries to store events while the database cannot be reached or is locked; "
            "after that the waiting answers end as interrupted"
        ),
        wrong="not a whole number from 1 up",
        least=1,
    ),
    Variable(
        "WONDERCAM_TRUSTED_PROXIES",
        None,
        (
            "The proxies in front of the server whose `X-Forwarded-For` is trusted: how many (`1`), or their networks "
            "(`10.0.0.0/8, 192.0.2.7`)"
        ),
        shown="none",
        wrong="anything that is neither",
    ),
    Variable(
        "WONDERCAM_LOG",
        "text",
        "The format of the server's log on standard error: `text` for people, `json` for programs",
        wrong="another word",
    ),
    Variable(
        "WONDERCAM_LOG_LEVEL",
        "info",
        (
            "What is logged: `info`: a line for each request and each end of a stream; `warning`: only problems; "
            "`debug`: also the requests of monitors"
        ),
        wrong="another word than `debug`, `info`, `warning`, `error`",
    ),
    Variable(
        "WONDERCAM_METRICS_TOKEN",
        None,
        (
            "The Bearer token for `/metrics`. Without it only requests from this machine are answered, and none that "
            "came through a proxy"
        ),
        shown="none",
        wrong="a space in it, or a letter that is not ASCII",
    ),
    Variable(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        None,
        (
            "The OTLP receiver (over HTTP) for a span and metrics of each turn, such as `http://127.0.0.1:4318`; needs "
            "the extra `otel`. OpenTelemetry's other variables also apply (docs/operators.md)"
        ),
        shown="none: nothing is sent",
        wrong="anything but `http://…` or `https://…`",
    ),
    Variable("OTEL_SERVICE_NAME", "wondercam", "This site's name at the receiver"),
    Variable(
        "WONDERCAM_OTEL_CONTENT",
        False,
        "On adds the texts of questions and answers to the spans",
        wrong="anything but a switch",
    ),
)
