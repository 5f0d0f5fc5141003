"""The upstreams: one file each, found by the model's id, all asked through `catalogue.py`.

A provider is a file with `from_settings(settings)` and a line in `catalogue.PROVIDERS`. It knows neither Django nor the
database; it gets a `Prompt`, gives responses in Gemini's shape, and raises `chat.protocol.errors` where it cannot.

`chat/process.py` makes the `Catalogue` of a process.
"""
