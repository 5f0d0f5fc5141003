"""The results as pictures (SVG): the same results give the same bytes."""

from pathlib import Path
from typing import Any

import matplotlib

from bench.rows import ROWS, Rounds, mean
from bench.servers import TITLES

matplotlib.use("svg")
matplotlib.rcParams.update(
    {"svg.hashsalt": "bench", "svg.fonttype": "none", "font.size": 9, "axes.spines.right": False}
)
from matplotlib import pyplot  # noqa: E402 - after the choice of its backend
from matplotlib.patches import Rectangle  # noqa: E402

COLOURS = {"reference": "#8a8f98", "stock": "#c9a227", "sqlite": "#1769aa", "cluster": "#2e8b57", "floor": "#7d4e9e"}
SHOWN = {
    0: "CPU per event\n(µs)",
    1: "CPU per request\n(ms)",
    2: "burst of 200:\nfirst token (ms)",
    5: "added p99\n(ms)",
    7: "500 streams:\nOK p50 (ms)",
    11: "memory per\nstream (KB)",
}


def save(figure: Any, path: Path) -> None:
    """Without a date, which would change with every run."""
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)


def table(rounds: Rounds, out: Path) -> None:
    """`performance.svg`: the main rows, each on a scale of its own."""
    figure, axes = pyplot.subplots(1, len(SHOWN), figsize=(12, 2.6))
    for axis, (number, title) in zip(axes, SHOWN.items(), strict=True):
        values = {key: value for key in TITLES if (value := mean(ROWS[number], rounds.get(key, []))) is not None}
        bars = axis.bar(range(len(values)), list(values.values()), color=[COLOURS[key] for key in values])
        axis.bar_label(bars, fmt=lambda value: f"{value:,.3g}" if value < 1000 else f"{value:,.0f}", fontsize=7)
        axis.set_title(title, fontsize=8)
        axis.set_xticks([])
        axis.margins(y=0.18)
    handles = [Rectangle((0, 0), 1, 1, color=COLOURS[key]) for key in rounds]
    figure.legend(handles, [TITLES[key] for key in rounds], loc="lower center", ncols=4, frameon=False, fontsize=8)
    figure.subplots_adjust(wspace=0.5, bottom=0.2)
    save(figure, out / "performance.svg")


def curves(title: str, xlabel: str, lines: dict[str, dict[str, list[tuple[float, float]]]], path: Path) -> None:
    """One picture of several panels: panel → line → points; the x axis is logarithmic."""
    figure, axes = pyplot.subplots(1, len(lines), figsize=(3.4 * len(lines), 2.8), squeeze=False)
    for axis, (panel, each) in zip(axes[0], lines.items(), strict=True):
        for name, points in each.items():
            axis.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name, color=COLOURS.get(name))
        axis.set_title(panel, fontsize=8)
        axis.set_xscale("symlog")
        axis.set_ylim(bottom=0)
        axis.set_xlabel(xlabel, fontsize=8)
        axis.legend(frameon=False, fontsize=7)
    figure.suptitle(title, fontsize=9)
    figure.tight_layout()
    save(figure, path)
