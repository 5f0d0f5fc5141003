"""The upstreams, tried with every fault over real sockets."""
