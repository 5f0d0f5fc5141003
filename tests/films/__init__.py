"""The moving pictures of the documentation: `make films` makes them anew, from the running product.

model.py ───── a simulated model, since the embedded one is done before anybody can reach for the keyboard
film.py ────── screenshots of a page with captions, as an animated WebP
outage.py ──── docs/outage.webp: kill -9 in the middle of an answer, and the answer goes on
viewfinder.py  docs/viewfinder.webp: the camera, a question by one tap, the answer
example.py ─── static/chat/example/, a photo with its answer as it was streamed, which the empty page plays
timeline.py ── docs/timeline.webp: a reviewer sees where each millisecond of an answer went, and replays it
"""
