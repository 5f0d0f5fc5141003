"""Turns: from a question to the end of its answer. `runner.py` starts and stops them; `turn.py` runs one."""
