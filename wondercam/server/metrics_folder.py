"""Where several workers put their numbers, so that each of them can tell those of all (`chat/metrics.py`)."""

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
        """A worker has ended: what it had running is running no more; what it counted stays counted."""
        for path in self.path.glob(f"gauge_live*_{pid}.db"):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
