"""Tests of what the project's files say: architecture, docs, translations, manifests. They run nothing of the site."""
