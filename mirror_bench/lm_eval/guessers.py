"""Models that look at nothing: what guessing and always giving the commonest answer reach.

`python -m mirror_bench.lm_eval.guessers` prints their rows of the table in `tasks/lm_eval/README.md`. They
read a document's options through lm-eval's request, which no real model is shown.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import click
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from mirror_bench.content import tasks_root
from mirror_bench.data.sources.registry import load_data
from mirror_bench.lm_eval.documents import question_rows
from mirror_bench.lm_eval.next_turn import score_turn
from mirror_bench.schema import Speaker, derive_seed

Rule = Literal["random", "majority"]
GROUP = "mirror_static"
CANDIDATES = 60
"""Turns of the train split among which the constant next turn is chosen."""


class Guesser(LM):  # type: ignore[misc]
    """A model of lm-eval that answers without reading the question: what chance comes to.

    Args:
        rule: "random": any option, equally likely; for a next turn, any written turn of the train split.
            "majority": the answer that is right the most often in the task; for a next turn, the written turn
            of the train split that fits the most moments of that split.
        seed: Of the random choices.
    """

    MULTIMODAL = True

    def __init__(self, rule: Rule, seed: int = 0) -> None:
        super().__init__()
        self._rule = rule
        self._draw = random.Random(derive_seed("guesser", rule, seed))
        self._commonest: dict[str, str] = {}

    def generate_until(self, requests: Sequence[Instance], disable_tqdm: bool = True) -> list[str]:
        """Returns an answer for each request."""
        self._count(requests)
        return [self._answer(request) for request in requests]

    def loglikelihood(
        self, requests: Sequence[Instance], disable_tqdm: bool = True
    ) -> list[tuple[float, bool]]:
        """Returns a score for each request: the highest for the option that is chosen."""
        self._count(requests)
        if self._rule == "random":
            return [(-self._draw.random(), False) for _ in requests]
        return [(-float(_options(r.doc)[r.idx] != self._commonest[r.task_name]), False) for r in requests]

    def loglikelihood_rolling(self, requests: Sequence[Instance], disable_tqdm: bool = True) -> list[float]:
        """Refuses: no static task asks for it."""
        raise NotImplementedError("no static task asks for rolling log-likelihoods")

    def _answer(self, request: Instance) -> str:
        if "wants" in request.doc:
            return self._draw.choice(written_turns()) if self._rule == "random" else best_constant()
        if self._rule == "random":
            return self._draw.choice(_options(request.doc))
        return self._commonest[request.task_name]

    def _count(self, requests: Sequence[Instance]) -> None:
        counts: dict[str, Counter[str]] = {}
        for request in requests:
            if request.idx == 0 and "answers" in request.doc:
                counts.setdefault(request.task_name, Counter()).update(request.doc["answers"])
        self._commonest |= {task: count.most_common(1)[0][0] for task, count in counts.items()}


def _options(doc: Mapping[str, Any]) -> Sequence[str]:
    options: Sequence[str] = doc.get("letters") or doc["options"]
    return options


@functools.cache
def written_turns() -> tuple[str, ...]:
    """Returns what therapists say in the train split's sessions."""
    plays = load_data("mini").of_split("train").screenplays
    return tuple(
        line.words
        for play in plays
        for line in play.lines
        if line.speaker is Speaker.THERAPIST and line.words
    )


@functools.cache
def best_constant() -> str:
    """Returns the written turn of the train split that fits the most of that split's moments.

    Only `CANDIDATES` of them are tried, evenly spread.
    """
    rows = [{**row, "written": ""} for row in question_rows("next_turn", "train")]
    turns = written_turns()
    tried = turns[:: max(1, len(turns) // CANDIDATES)]
    return max(tried, key=lambda turn: sum(score_turn(turn, row).fits for row in rows))


def evaluate(model: LM, tasks: Sequence[str] = (GROUP,), **options: Any) -> Mapping[str, Any]:
    """Returns lm-eval's results of a model on static tasks.

    Args:
        model: An lm-eval model.
        tasks: Tasks or groups.
        options: Of `lm_eval.simple_evaluate`, such as `limit`.
    """
    import lm_eval
    from lm_eval.tasks import TaskManager

    manager = TaskManager(include_path=str(tasks_root() / "lm_eval"), include_defaults=False)
    found: Mapping[str, Any] = lm_eval.simple_evaluate(
        model=model, tasks=list(tasks), task_manager=manager, **{"bootstrap_iters": 0, **options}
    )
    return found


@click.command()
@click.option("--seed", default=0, show_default=True, help="Of the random choices")
def main(seed: int) -> None:
    """Print what guessing and the commonest answer reach on every static task."""
    from lm_eval.utils import make_table

    rules: tuple[Rule, ...] = ("random", "majority")
    for rule in rules:
        click.echo(f"\n{rule}\n{make_table(dict(evaluate(Guesser(rule, seed), log_samples=False)))}")


if __name__ == "__main__":
    main()
