"""The kinds of server that the checks know how to speak to; each file has its class as `ADAPTER`."""

NAMES = ("wondercam", "durable_streams", "resumable_stream", "tanstack_ai", "sample")
