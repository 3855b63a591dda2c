"""A run's scores as model-card metadata of Hugging Face: a `model-index` that its hub reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from mirror_bench.analysis.candidate_scores import CandidateScores
from mirror_bench.analysis.display_names import CONDITION_NAMES, short
from mirror_bench.analysis.metrics import Metric
from mirror_bench.analysis.summary import Summary

TASK = "image-text-to-text"
SOURCE = "mirror-bench"


def model_index(summary: Summary, model: str, version: str = "") -> list[dict[str, Any]]:
    """Returns the value of `model-index`: one result per entry, every total and its interval as metrics.

    Args:
        summary: Of one run or several of the same model.
        model: The model's name.
        version: The version of mirror-bench.
    """
    totals = [metric for metric in summary.metrics if metric.kind == "total"]
    results = [_result(summary, entry, totals, version) for entry in summary.entries]
    return [{"name": short(model, 96), "results": [one for one in results if one["metrics"]]}]


def _result(
    summary: Summary, entry: CandidateScores, totals: Sequence[Metric], version: str
) -> dict[str, Any]:
    harness = f"{SOURCE} {version}".strip()
    metrics = []
    for metric in totals:
        score = entry.score(metric.name)
        if score is None or score.value is None:
            continue
        metrics.append(
            {
                "type": metric.name,
                "name": metric.title,
                "value": round(score.value, 4),
                "confidence_interval": [score.low, score.high],
                "n_sessions": score.n,
                "n_profiles": score.clusters,
                "coverage": score.coverage,
            }
        )
    return {
        "task": {"type": TASK, "name": "counseling sessions with a simulated, resisting client"},
        "dataset": {
            "type": SOURCE,
            "name": f"{harness}, protocol {summary.protocol}, {CONDITION_NAMES[entry.condition]}",
            "config": " ".join(filter(None, (entry.method, entry.condition.value))),
            "revision": summary.fingerprint[:12],
        },
        "metrics": metrics,
    }


def card_metadata(summary: Summary, model: str, version: str = "") -> str:
    """Returns the metadata as YAML, to stand between the two lines `---` at the top of a README.md."""
    value = {
        "tags": [SOURCE, "counseling"],
        "pipeline_tag": TASK,
        "model-index": model_index(summary, model, version),
    }
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)
