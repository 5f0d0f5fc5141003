"""`python -m bench`, `python -m bench --quick`, `python -m bench scale`, `python -m bench profile`."""

import argparse
import importlib.util
import resource
import sys
import time
from pathlib import Path
from tempfile import NamedTemporaryFile

import uvloop

NEEDED = ("fastapi", "uvicorn", "httptools", "httpx", "matplotlib")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure WonderCam beside its peers.")
    parser.add_argument("what", nargs="?", choices=("table", "scale", "profile"), default="table")
    parser.add_argument("--quick", action="store_true", help="the main rows, once, to the terminal only")
    parser.add_argument("--servers", default="", help="comma list of reference, stock, sqlite, cluster, floor")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--curves", default="", help="of scale: comma list of streams, events, readers, log")
    parser.add_argument("--out", type=Path, default=None, help="folder for the results; default: docs, --quick: none")
    return parser.parse_args()


async def table(given: argparse.Namespace, log: Path) -> int:
    """Measure, print, keep. 1 when an event was lost or a stream failed."""
    from bench import measure, plots, report
    from bench.rows import ROWS, verdict
    from bench.servers import ROOT

    rounds = await measure.everything(measure.plan(given.quick, given.servers, given.rounds), log)
    facts = report.circumstances()
    text = report.table(rounds, facts)
    print("\n" + text)
    out = given.out or (None if given.quick or given.servers else ROOT / "docs")
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "performance.json").write_text(report.as_json(rounds, facts))
        plots.table(rounds, out)
        document = out / "performance.md"
        if document.exists():
            report.into(document, text)
        print(f"Written to {out}")
    return int(verdict(ROWS[-1], rounds) is False)


def main() -> int:
    """Check what is needed, raise the limit of open files, run."""
    given = arguments()
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        print(f"Not installed: {', '.join(missing)}. Run it by `make bench`.", file=sys.stderr)
        return 2
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    began = time.monotonic()
    with NamedTemporaryFile("r", prefix="bench-", suffix=".log", delete=False) as file:
        log = Path(file.name)
    print(f"What the servers say goes to {log}")
    if given.what == "scale":
        from bench import scale

        status = uvloop.run(scale.curves(given, log))
    elif given.what == "profile":
        from bench import profile

        status = uvloop.run(profile.stages(given, log))
    else:
        status = uvloop.run(table(given, log))
    print(f"{time.monotonic() - began:.0f} s")
    return status


if __name__ == "__main__":
    sys.exit(main())
