"""Who fills in an instrument: behaviour codes, the coded rater, the LLM rater and panels of them."""

from __future__ import annotations

from mirror_bench.registry import Registry

RATERS = Registry(
    "rater",
    {
        "coded": "mirror_bench.raters.coded:CodedRater",
        "llm": "mirror_bench.raters.llm:LLMRater",
        "panel": "mirror_bench.raters.panel:PanelRater",
    },
)
