"""Who fills in an instrument: behaviour codes, the coded rater and the LLM rater."""

from __future__ import annotations

from mirror_bench.registry import Registry

RATERS = Registry(
    "rater",
    {
        "coded": "mirror_bench.raters.coded:CodedRater",
        "llm": "mirror_bench.raters.llm:LLMRater",
    },
)
