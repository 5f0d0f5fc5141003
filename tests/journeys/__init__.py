"""Whole paths: a person's or a program's way through the running site."""
