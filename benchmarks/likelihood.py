"""Questions answered by log-likelihood inside lm-eval: our vLLM engine beside lm-eval's own model `hf`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from mirror_bench.engines.vllm.engine import VllmEngine

TASK = "mirror_resistance"


def measure(model: str, documents: int, sees: bool, task: str = TASK) -> dict[str, float]:
    """Returns name -> figure: seconds of both, requests, and how far their answers are apart.

    Args:
        model: Checkpoint folder.
        documents: How many questions of the task are asked.
        sees: Whether the checkpoint is a vision-language model, which lm-eval opens otherwise.
        task: A task of multiple choice.
    """
    from mirror_bench.lm_eval.engine_model import EngineLM

    ours = EngineLM(f"vllm/{model}?max_images=0", quiet=True)
    engine = ours.engine
    assert isinstance(engine, VllmEngine)
    try:
        started = time.perf_counter()
        mine = _evaluate(ours, task, documents)
        seconds = time.perf_counter() - started
    finally:
        ours.close()
    arguments = {"pretrained": str(Path(model)), "dtype": "float32", "max_length": 2048}
    started = time.perf_counter()
    theirs = _evaluate(
        "hf-multimodal" if sees else "hf",
        task,
        documents,
        model_args=arguments | ({"convert_img_format": True} if sees else {}),
        device="cpu",
        batch_size=16,
    )
    hf_seconds = time.perf_counter() - started
    pairs = [
        (first, second)
        for one, other in zip(mine, theirs, strict=True)
        for first, second in zip(one["filtered_resps"], other["filtered_resps"], strict=True)
    ]
    return {
        "likelihood_questions": len(mine),
        "likelihood_choices": len(pairs),
        "likelihood_requests": engine.counters.requests,
        "likelihood_vllm_s": round(seconds, 1),
        "likelihood_hf_s": round(hf_seconds, 1),
        "likelihood_furthest_apart": round(max(abs(first[0] - second[0]) for first, second in pairs), 5),
    }


def _evaluate(model: Any, task: str, documents: int, **options: Any) -> list[dict[str, Any]]:
    import lm_eval.models  # noqa: F401, fills the registry of names
    from lm_eval import simple_evaluate

    from mirror_bench.lm_eval.task_runs import task_manager

    found = simple_evaluate(
        model=model,
        tasks=[task],
        limit=documents,
        task_manager=task_manager(names=[task]),
        apply_chat_template=True,
        bootstrap_iters=10,
        **options,
    )
    samples: list[dict[str, Any]] = found["samples"][task]
    return samples
