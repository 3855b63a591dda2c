"""What the YAML files beside this one call; the code is in `mirror_bench.lm_eval`."""

from mirror_bench.lm_eval.answer_extraction import extract
from mirror_bench.lm_eval.documents import load
from mirror_bench.lm_eval.metrics import (
    auroc,
    auroc_stderr,
    gap,
    gap_stderr,
    macro_f1,
    macro_f1_stderr,
    mean,
    mean_stderr,
)
from mirror_bench.lm_eval.results import (
    agreement_results,
    choice_results,
    expression_results,
    next_turn_results,
)

__all__ = [
    "agreement_results",
    "auroc",
    "auroc_stderr",
    "choice_results",
    "expression_results",
    "extract",
    "gap",
    "gap_stderr",
    "load",
    "macro_f1",
    "macro_f1_stderr",
    "mean",
    "mean_stderr",
    "next_turn_results",
]
