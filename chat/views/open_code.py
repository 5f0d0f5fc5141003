"""Code that a text leaves open, as an answer does that was stopped in the middle of it: what is written behind the text
would be part of that code (https://spec.commonmark.org/0.31.2/#fenced-code-blocks)."""

import re
from typing import NamedTuple, Self

FENCE = re.compile(r"(?P<before>[ >]*(?:(?:[-*+]|\d{1,9}[.)]) +)*)(?P<marks>`{3,}|~{3,})(?P<rest>.*)")
ITEM = re.compile(r"(?:[-*+]|\d{1,9}[.)]) ")


class Fence(NamedTuple):
    """A fence that opens code. `before` is what its list or quotation demands before each line, if it is in one."""

    before: str
    marks: str

    @classmethod
    def of(cls, line: str, top: str) -> Self | None:
        """The fence in this line, if it has one; `top` is the last line before it that is not indented."""
        found = FENCE.match(line)
        if found is None or (found["marks"][0] == "`" and "`" in found["rest"]):
            return None
        before = re.sub(r"[^> ]", " ", found["before"])
        is_inside = before != found["before"] or ">" in before or ITEM.match(top)
        return cls(before if is_inside else "", found["marks"])

    def ends_at(self, line: str) -> bool:
        """Whether the code ends with this line: by a fence, or with its list or quotation."""
        if line.strip() and not line.startswith(self.before.rstrip(" ") if ">" in self.before else self.before):
            return True
        found = FENCE.match(line)
        return found is not None and found["marks"].startswith(self.marks) and not found["rest"].strip()


def closed(text: str) -> str:
    """The text, with the code closed that it ends in."""
    fence: Fence | None = None
    top = ""
    for line in text.split("\n"):
        if fence is None:
            fence = Fence.of(line, top)
        elif fence.ends_at(line):
            fence = None if FENCE.match(line) and line.startswith(fence.before) else Fence.of(line, "")
        if fence is None and line[:1].strip():
            top = line
    return f"{text.rstrip()}\n{fence.before}{fence.marks}" if fence else text
