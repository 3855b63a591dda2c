"""mirror-bench: evaluates multimodal therapists in sessions with a simulated, resisting client.

The public face, for use from Python (`docs/python.md`). Names are loaded when they are first used, so that
`import mirror_bench` costs next to nothing:

- `evaluate(therapist, …)` holds sessions with a therapist, rates and reports them, and returns the `Run`; the
  therapist is a model's name or any object or function of yours that answers `reply(words, image)`;
- `load_run(folder)` opens a run that was held before;
- `rate(run, …)` adds ratings by other judges or instruments;
- `summarize(runs)` returns the scores with 95 % intervals, `compare(runs)` who does better on the scenarios
  that both have held;
- `load_environment(…)` returns sessions as a training environment of verifiers;
- `load_protocol(name)` and `load_data(source)` return what a run is held under, and whom it meets.

Whatever is given wrong raises `InputError` with one line that names it and the remedy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mirror_bench.adapters.verifiers.loading import load_environment
    from mirror_bench.api.analysing import RunComparison, Scores, compare, summarize
    from mirror_bench.api.evaluating import evaluate, rate
    from mirror_bench.api.records import Ratings, Records, Sessions
    from mirror_bench.api.run import Run, load_run
    from mirror_bench.data.base import DataSet
    from mirror_bench.data.sources.registry import load_data
    from mirror_bench.errors import InputError
    from mirror_bench.protocol import Protocol
    from mirror_bench.sessions.standing import checked_protocol as load_protocol

__version__ = "0.1.0"

_PLACES = {
    "RunComparison": "mirror_bench.api.analysing:RunComparison",
    "DataSet": "mirror_bench.data.base:DataSet",
    "InputError": "mirror_bench.errors:InputError",
    "Protocol": "mirror_bench.protocol:Protocol",
    "Ratings": "mirror_bench.api.records:Ratings",
    "Records": "mirror_bench.api.records:Records",
    "Run": "mirror_bench.api.run:Run",
    "Scores": "mirror_bench.api.analysing:Scores",
    "Sessions": "mirror_bench.api.records:Sessions",
    "compare": "mirror_bench.api.analysing:compare",
    "evaluate": "mirror_bench.api.evaluating:evaluate",
    "load_data": "mirror_bench.data.sources.registry:load_data",
    "load_environment": "mirror_bench.adapters.verifiers.loading:load_environment",
    "load_protocol": "mirror_bench.sessions.standing:checked_protocol",
    "load_run": "mirror_bench.api.run:load_run",
    "rate": "mirror_bench.api.evaluating:rate",
    "summarize": "mirror_bench.api.analysing:summarize",
}

__all__ = [
    "DataSet",
    "InputError",
    "Protocol",
    "Ratings",
    "Records",
    "Run",
    "RunComparison",
    "Scores",
    "Sessions",
    "__version__",
    "compare",
    "evaluate",
    "load_data",
    "load_environment",
    "load_protocol",
    "load_run",
    "rate",
    "summarize",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _PLACES[name].partition(":")
    found = getattr(importlib.import_module(module), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
