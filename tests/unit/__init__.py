"""Tests of single modules, in this process: `make test-unit` has the quick ones, `make test-core` those that store."""
