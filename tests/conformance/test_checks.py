"""The checks pass a server that does everything right, and each finds the fault that it is for."""

import json

import httpx
import pytest

from tests.conformance.__main__ import adapter_of, main
from tests.conformance.adapters.sample import SampleAdapter
from tests.conformance.checks import CHECKS, name_of, sentence_of
from tests.conformance.run import Result, Verdict, chosen, results
from tests.conformance.sample import Sample
from tests.conformance.table import as_json, beside, for_terminal
from tests.conformance.trial import Trial
from tests.servers.wondercam import ROOT

FAULTS = [
    ("acknowledged", "acknowledges nothing"),
    ("event_stream", "says it is text"),
    ("not_cached", "may be kept"),
    ("not_cached", "may be changed"),
    ("not_buffered", "may be gathered"),
    ("not_compressed", "is compressed"),
    ("ids", "gives no ids"),
    ("ids", "gives one id to all"),
    ("typed_end", "does not say the end"),
    ("cut_live", "loses one"),
    ("cut_live", "doubles one"),
    ("cut_live", "ignores Last-Event-ID"),
    ("cut_at_every_byte", "loses one"),
    ("cut_at_every_byte", "doubles one"),
    ("cut_at_every_byte", "writes it anew"),
    ("last_event_id", "ignores Last-Event-ID"),
    ("last_event_id", "gives no ids"),
    ("end_is_final", "never says 204"),
    ("late_reader", "forgets what has ended"),
    ("joined_reader", "shows late readers the rest only"),
    ("two_readers", "shows two readers two things"),
    ("posted_again_with_a_cursor", "ignores Last-Event-ID"),
    ("leaving_is_not_stopping", "stops when left"),
    ("posted_again", "answers twice"),
    ("stop", "does not stop"),
    ("stop", "forgets what has ended"),
    ("stop_twice", "stops once only"),
    ("foreign_stream", "shows all to all"),
    ("foreign_stop", "shows all to all"),
    ("unknown_stream", "invents streams"),
    ("cursor_that_is_none", "takes anything for a cursor"),
    ("cursor_ahead", "waits for what never comes"),
    ("cursor_of_another_stream", "takes any cursor"),
    ("heartbeat", "has no heartbeat"),
    ("killed", "forgets when killed"),
]


async def found(server: Sample, *names: str, settling: float = 0.02, patience: float = 60) -> list[Result]:
    """What the checks of these names, or all, find of a sample."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60, verify=False) as client:
        adapter = SampleAdapter(client, {})
        await adapter.prepare()
        trial = Trial(adapter, server.restart, settling, patience)
        return await results(trial, chosen(names, slow=True))


async def test_a_server_that_does_everything_right_passes() -> None:
    async with Sample() as server:
        assert [result for result in await found(server) if result.verdict is not Verdict.KEPT] == []


@pytest.mark.parametrize(("check", "fault"), FAULTS)
async def test_each_check_finds_its_fault(check: str, fault: str) -> None:
    async with Sample(fault) as server:
        (result,) = await found(server, check, settling=60, patience=0.2)

    assert result.verdict is Verdict.BROKEN
    assert result.detail.endswith(".")


def test_every_check_has_a_fault_that_it_finds_and_says_what_it_checks() -> None:
    assert {name_of(check) for check in CHECKS} == {check for check, _ in FAULTS}
    assert [name_of(check) for check in CHECKS if not sentence_of(check).endswith(".")] == []


def test_the_page_lists_every_check_as_it_is() -> None:
    page = (ROOT / "docs" / "conformance.md").read_text()
    assert [line for line in page.splitlines() if line.startswith("| `")][: len(CHECKS)] == [
        f"| `{name_of(check)}` | {sentence_of(check)} |" for check in CHECKS
    ]


def result(verdict: Verdict, name: str = "ids") -> Result:
    return Result(name, "Every event has an id.", verdict, "", "None has.")


def test_the_table_says_what_was_found_and_sums_it_up() -> None:
    told = for_terminal([result(Verdict.KEPT), result(Verdict.BROKEN, "stop")])

    assert "broken  stop  Every event has an id.\n" in told
    assert told.endswith("1 kept, 1 broken")
    assert json.loads(as_json([result(Verdict.KEPT)]))[0]["verdict"] == "kept"


def test_servers_stand_beside_each_other() -> None:
    assert beside({"One": [result(Verdict.KEPT)], "Other": [result(Verdict.MISSING)]}).splitlines() == [
        "| check | One | Other |",
        "| --- | --- | --- |",
        "| Every event has an id. | **kept** | no |",
    ]


def test_an_adapter_is_a_name_or_a_file(tmp_path) -> None:
    (tmp_path / "mine.py").write_text("from tests.conformance.adapters.sample import SampleAdapter as ADAPTER\n")

    assert adapter_of(str(tmp_path / "mine.py")).name == SampleAdapter.name
    with pytest.raises(ValueError, match="no adapter"):
        adapter_of("nobody")
    with pytest.raises(ValueError, match="no file"):
        adapter_of("nobody.py")


def test_where_nothing_can_be_tried_the_exit_code_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["http://127.0.0.1:9", "--adapter", "wondercam"]) == 2
    assert main(["http://127.0.0.1:9", "--adapter", "sample", "--check", "nothing"]) == 2
    assert "There is no check nothing." in capsys.readouterr().err
