"""The folder in which workers share their metrics, so that each can report those of all (`chat/metrics.py`)."""

import os
import shutil
import tempfile
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class MetricsFolder:
    """A new folder, named in the environment before the workers are forked; removed when the last of them has ended."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="wondercam-metrics-"))
        os.environ[VARIABLE] = str(self.path)

    def forget(self, pid: int) -> None:
        """Remove the gauges of a worker that has ended; its counters are kept."""
        for path in self.path.glob(f"gauge_live*_{pid}.db"):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
