"""Real servers for tests: each file holds one fixture, and every server is stopped by its process id.

`serve` (wondercam.py) · `postgres` · `redis` · `nginx` · `front` (deploy/nginx.conf) · `page`
and `chromium` (chromium.py)
"""
