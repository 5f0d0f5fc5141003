"""A program of its own: a photo comes in at stdin, the lines of text in it go out at stdout as JSON.

A process, not a thread: it can be stopped at any moment, its 600 MB go back when it ends, and whatever a photo does to
a decoder it does there. Run by `ocr.py` as a file, with nothing of ours on its path and nothing of ours in its
environment. Exit code 3: this is no photo.
"""

import importlib
import json
import sys

LEAST_SCORE = 0.6
"""Below it RapidOCR guesses: leaves and tiles become letters. Above it they may still become dots and dashes."""


def main() -> None:
    """Read one photo."""
    engine = importlib.import_module("rapidocr").RapidOCR(  # its models are inside its wheel
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    try:
        found = engine(sys.stdin.buffer.read())
    except Exception:  # whatever a decoder makes of a file that is no photo
        sys.exit(3)
    pairs = zip(found.txts or (), found.scores or (), strict=True)
    lines = [text for text, score in pairs if score >= LEAST_SCORE and any(map(str.isalnum, text))]
    json.dump(lines, sys.stdout)


if __name__ == "__main__":
    main()
