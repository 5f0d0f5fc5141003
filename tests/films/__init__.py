"""The moving pictures of the documentation: `make films` makes them anew, from the running product.

film.py ────── screenshots of a page with captions, as an animated WebP
outage.py ──── docs/outage.webp: kill -9 in the middle of an answer, and the answer goes on
viewfinder.py  docs/viewfinder.webp: the camera, a question by one tap, the answer
timeline.py ── docs/timeline.webp: a reviewer sees where each millisecond of an answer went, and replays it
"""
