"""Scores one document: what lm-eval's `process_results` of each static task returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mirror_bench.lm_eval.next_turn import score_turn

Doc = Mapping[str, Any]
GROUPS = ("age", "sex", "skin")


def _with_errors(doc: Doc, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values, each with the companion that its standard error comes from."""
    errors = {f"{name}_stderr": (value, doc["cluster"]) for name, value in values.items()}
    return {**values, **errors}


def _correct(doc: Doc, answer: str) -> dict[str, Any]:
    correct = float(answer in doc["answers"])
    above = (correct - doc["chance"]) / (1 - doc["chance"])
    return {"acc": correct, "above_chance": above, "answered": float(bool(answer))}


def choice_results(doc: Doc, results: Sequence[Any]) -> dict[str, Any]:
    """Scores a choice, generated or by log-likelihood.

    Returns:
        `acc`, `above_chance` (accuracy rescaled so that guessing is 0 and perfect is 1) and `answered`
        (whether a choice was found at all; an answer that chooses nothing is wrong).
    """
    answer = results[0] if isinstance(results[0], str) else likeliest(doc, results)
    return _with_errors(doc, _correct(doc, answer))


def likeliest(doc: Doc, results: Iterable[tuple[float, bool]]) -> str:
    """Returns the letter, or the option, with the highest log-likelihood."""
    scores = [score for score, _ in results]
    names: Sequence[str] = doc.get("letters") or doc["options"]
    return names[max(range(len(scores)), key=scores.__getitem__)]


def expression_results(doc: Doc, results: Sequence[str]) -> dict[str, Any]:
    """Scores an expression: as `choice_results`, `macro_f1`, and the gaps between groups of identities."""
    values = _correct(doc, results[0])
    values["macro_f1"] = (doc["answers"][0], results[0])
    values |= {f"gap_{name}": (values["acc"], doc[name]) for name in GROUPS}
    return _with_errors(doc, values)


def agreement_results(doc: Doc, results: Sequence[Any]) -> dict[str, Any]:
    """Scores whether face and words agree; where log-likelihoods are given, `auroc` of yes against no too."""
    values = choice_results(doc, results)
    if isinstance(results[0], str):
        return values
    margin = results[0][0] - results[1][0]
    pair = (doc["answers"][0] == doc["options"][0], margin)
    return {**values, "auroc": pair, "auroc_stderr": (pair, doc["cluster"])}


def next_turn_results(doc: Doc, results: Sequence[str]) -> dict[str, Any]:
    """Scores a therapist turn by what it does: `fits`, `wanted`, `avoided`, `in_bounds` and `chrf`."""
    return _with_errors(doc, score_turn(results[0], doc)._asdict())
