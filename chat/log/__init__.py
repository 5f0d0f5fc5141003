"""The log is the stream."""
