"""deploy/wondercam.service: understood by systemd, and in keeping with the settings."""

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from wondercam.server.options import Options
from wondercam.variables import ALL

ROOT = Path(__file__).resolve().parent.parent.parent
UNIT = ROOT / "deploy" / "wondercam.service"


@pytest.fixture(scope="module")
def unit() -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


def verified(text: str, folder: Path) -> str:
    """What `systemd-analyze verify` has to say about a unit whose clone is this one."""
    (folder / "wondercam.service").write_text(text.replace("/opt/wondercam/.venv/bin/python", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", str(folder / "wondercam.service")]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, check=False).stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    assert verified(UNIT.read_text(), tmp_path) == ""
    assert "Unknown key" in verified(UNIT.read_text().replace("KillMode=", "KillMod="), tmp_path)


def test_systemd_waits_for_the_drain(unit: ConfigParser) -> None:
    drain = ALL["WONDERCAM_DRAIN_SECONDS"].default
    assert unit.getint("Service", "TimeoutStopSec") > drain + 2 * Options().afterwards
    assert unit.get("Service", "KillMode") == "mixed"


def test_what_may_be_written_is_what_is_written(unit: ConfigParser) -> None:
    folder = unit.get("Service", "WorkingDirectory")
    assert unit.get("Service", "ReadWritePaths").split() == [f"{folder}/data", f"{folder}/staticfiles"]
    assert unit.get("Service", "ProtectSystem") == "strict"


def test_every_command_of_the_unit_exists(unit: ConfigParser) -> None:
    names = re.findall(r"manage\.py (\w+)", UNIT.read_text())
    assert names == ["migrate", "collectstatic", "serve"]
    assert unit.get("Service", "ExecStart").endswith("manage.py serve")
