# The pipeline in a container:
#   docker build -t bycase .                        CPU
#   docker build -t bycase --build-arg CUDA=1 .     with TensorFlow's CUDA wheels; run it with --gpus all
#   docker run --rm -it bycase                      the phantom
#   docker run --rm -it bycase bash                 a shell, .venv active
# The page: docker run --rm -it -p 127.0.0.1:8080:8080 bycase bycase serve --host 0.0.0.0
ARG PYTHON=3.13
FROM python:${PYTHON}-slim-bookworm AS base
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --create-home --shell /bin/bash bycase \
    && install --directory --owner bycase --group bycase /home/bycase/bycase
USER 1000

FROM base AS bycase
ARG PYTHON
ARG CUDA=0
WORKDIR /home/bycase/bycase
ENV PATH=/home/bycase/bycase/.venv/bin:$PATH PYTHON=python${PYTHON} PIP_NO_CACHE_DIR=1
# Packages first: a changed line of code does not install them anew.
COPY --chown=bycase requirements*.txt ./
COPY --chown=bycase .ci .ci
RUN .ci/venv .venv "$PYTHON" "$CUDA" "" \
    && pip install --quiet --disable-pip-version-check -r requirements.txt \
    && if [ "$CUDA" = 1 ]; then \
        pip install --quiet --disable-pip-version-check -r requirements-cuda.txt; \
    fi
# With .git: DVC asks Git, and so does `bycase compare`.
COPY --chown=bycase . .
RUN make ready GPU="$CUDA"
CMD ["make", "repro"]
