"""How large, fast or dear each candidate is, as its runner says, in a YAML file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from mirror_bench.analysis.display_names import candidate_label
from mirror_bench.analysis.session_outcomes import CandidateKey
from mirror_bench.content import read_yaml
from mirror_bench.errors import InputError
from mirror_bench.schema import Record

Measure = Literal["parameters", "cost", "tokens_per_second"]
MEASURES: Mapping[Measure, str] = {
    "parameters": "parameters, billions",
    "cost": "cost, in the unit of the file given",
    "tokens_per_second": "tokens per second",
}


class CandidateCost(Record):
    """How large, dear and fast one candidate is, as its runner states; None for what is not stated.

    Attributes:
        parameters: In billions, above 0.
        cost: In any one unit for all candidates, such as US dollars per thousand sessions, above 0.
        tokens_per_second: Above 0.
    """

    parameters: float | None = None
    cost: float | None = None
    tokens_per_second: float | None = None

    def of(self, measure: Measure) -> float | None:
        """Returns the figure of this name, or None."""
        found: float | None = getattr(self, measure)
        return found


def read_sizes(path: Path) -> dict[str, CandidateCost]:
    """Returns candidate name -> size from a YAML file.

    An entry is a number, parameters in billions (`vllm/Qwen/Qwen2.5-VL-7B-Instruct: 8.3`), or a mapping of
    measures (`openai/gpt-4o: {cost: 41.5, tokens_per_second: 90}`).

    Raises:
        InputError: If the file is not such a mapping, naming the entry.
    """
    return {str(name): _size(path, str(name), value) for name, value in read_yaml(path).items()}


def size_of(key: CandidateKey, sizes: Mapping[str, CandidateCost]) -> CandidateCost | None:
    """Returns a candidate's size: that of its name with its method, of its name, or of its short name."""
    names = (f"{key.therapist} {key.method}".strip(), key.therapist, candidate_label(key.therapist, "", 200))
    return next((sizes[name] for name in names if name in sizes), None)


def without_size(keys: Sequence[CandidateKey], sizes: Mapping[str, CandidateCost]) -> list[str]:
    """Returns the names of candidates that a file of sizes lacks, each once."""
    missing = [" ".join(filter(None, key[:2])) for key in keys if size_of(key, sizes) is None]
    return list(dict.fromkeys(missing))


def _size(path: Path, name: str, value: Any) -> CandidateCost:
    wrong = (
        f"{path}: {name}: must be a number above 0 (parameters in billions) or a mapping of "
        f"{', '.join(MEASURES)} to such numbers"
    )
    fields = value if isinstance(value, dict) else {"parameters": value}
    numbers = [number for number in fields.values() if _is_size(number)]
    if not fields or len(numbers) < len(fields):
        raise InputError(wrong)
    try:
        return CandidateCost.model_validate(fields)
    except ValidationError:
        raise InputError(wrong) from None


def _is_size(value: Any) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
    )
