"""Upstreams that do what they are told: real sockets, pace and faults by request."""
