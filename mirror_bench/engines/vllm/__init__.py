"""Models served by vLLM inside a run."""
