"""The faults of docs/guarantees.md, tried on real servers: kill -9, outages, cut and held connections, bad upstreams.

`upstream.py` (a model that does as the question says) · `proxy.py` (a network that misbehaves) · `reader.py` (a client
that resumes, and keeps account of every byte) · `arena.py` (all of them joined for a test) · `machines.py` (several
machines behind nginx, and people who keep asking)
"""
