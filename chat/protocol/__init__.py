"""The formats of the wire and of what packages exchange. Plain Python, which imports nothing else of this project."""
