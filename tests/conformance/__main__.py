"""`python -m tests.conformance URL`: run the checks against a server; the exit code is 1 if it breaks a promise."""

import argparse
import asyncio
import importlib
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from tests.conformance import adapters
from tests.conformance.adapter import Adapter
from tests.conformance.run import Result, Verdict, chosen, results
from tests.conformance.table import as_json, for_terminal
from tests.conformance.trial import WAIT, Trial


def adapter_of(name: str) -> type[Adapter]:
    """The adapter of a name of `adapters/`, or in the file of a path that ends in `.py`."""
    if name.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(name).stem, name)
        if spec is None or spec.loader is None or not Path(name).is_file():
            raise ValueError(f"There is no file {name}.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    elif name in adapters.NAMES:
        module = importlib.import_module(f"{adapters.__name__}.{name}")
    else:
        raise ValueError(f"There is no adapter {name}: take one of {', '.join(adapters.NAMES)}, or the path of a file.")
    found: type[Adapter] = module.ADAPTER
    return found


async def tried(
    url: str, adapter: type[Adapter], options: Mapping[str, str], names: Sequence[str] = (), slow: bool = False
) -> list[Result]:
    """What the checks find of the server at a URL."""
    checks = chosen(names, slow)
    async with httpx.AsyncClient(base_url=url, timeout=WAIT, headers={"Accept-Encoding": "identity"}) as client:
        spoken = adapter(client, options)
        await spoken.prepare()
        return await results(Trial(spoken), checks)


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("url", help="where the server is, such as http://127.0.0.1:18000")
    parser.add_argument("--adapter", default="wondercam", help="a name of adapters/, or a file (default: %(default)s)")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="what the adapter is told")
    parser.add_argument("--check", action="append", default=[], metavar="NAME", help="only this check (repeatable)")
    parser.add_argument("--slow", action="store_true", help="also the checks that wait for most of a minute")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """0 if every promise is kept, 1 if one is broken, 2 where nothing could be tried."""
    given = arguments(words)
    options = dict(option.split("=", 1) for option in given.option if "=" in option)
    try:
        found = asyncio.run(tried(given.url, adapter_of(given.adapter), options, given.check, given.slow))
    except (ValueError, httpx.HTTPError) as error:
        print(f"Nothing could be tried at {given.url}: {str(error) or type(error).__name__}", file=sys.stderr)
        return 2
    print(as_json(found) if given.json else for_terminal(found))
    return int(any(result.verdict is Verdict.BROKEN for result in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
