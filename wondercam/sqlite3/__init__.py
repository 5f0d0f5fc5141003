"""Django's SQLite backend, which never creates a database file anew that was there before (`base.py`)."""
