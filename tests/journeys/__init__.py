"""End-to-end tests of users and programs with a running site."""
