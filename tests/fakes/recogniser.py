"""A program in the place of `chat.recognition`: what a photo holds says what becomes of it."""

import json
import struct
import sys
import time

THINGS = {"things": [{"name": "dog", "share": 0.9, "sure": True, "number": 1}], "boxes": []}


def tell(fact: object) -> None:
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


def main() -> None:
    tell({"reads": ["things"]})
    asked = 0
    while len(head := sys.stdin.buffer.read(4)) == 4:
        photo, asked = sys.stdin.buffer.read(struct.unpack(">I", head)[0]), asked + 1
        if photo == b"ends the process":
            return
        tell(THINGS)
        if photo == b"endless":
            time.sleep(60)
        tell({"lines": [f"photo {asked} of this process"], "coverage": 0.0, "unread": False, "left": 0})
        tell({"error": "OSError"} if photo == b"junk" else {"end": True})


if __name__ == "__main__":
    main()
