"""Tests of providers, with faults over real sockets."""
