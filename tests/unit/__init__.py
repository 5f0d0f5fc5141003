"""Tests of one module each, in this process: no server is started. `make test-unit` runs them."""
