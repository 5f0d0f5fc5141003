"""Plain Python: what is said on the wire and between the packages. Imports nothing of ours but itself."""
