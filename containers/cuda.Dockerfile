# mirror-bench with vLLM for NVIDIA GPUs: docker build -f containers/cuda.Dockerfile -t mirror-bench:cuda .
FROM python:3.12-slim-bookworm AS build
WORKDIR /build
RUN python -m pip install --no-cache-dir "build==1.*" "hatchling==1.*"
COPY pyproject.toml README.md LICENSE ./
COPY mirror_bench mirror_bench
COPY baselines baselines
COPY tasks tasks
RUN python -m build --wheel --no-isolation --outdir /dist

# vLLM's wheels bring the CUDA libraries; the driver comes from the host (docker run --gpus all).
FROM python:3.12-slim-bookworm
# vLLM's kernels are compiled for the GPU when they are first used.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /dist /dist
RUN python -m pip install --no-cache-dir "uv==0.*" \
    && uv pip install --system --no-cache "$(ls /dist/*.whl)[vllm,transformers,inspect,view,ray]" \
    && rm -rf /dist
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
RUN useradd --create-home --uid 1000 bench
USER 1000
WORKDIR /home/bench
ENTRYPOINT ["mirror-bench"]
CMD ["--help"]
