"""Compares two sessions of one scenario: by a judge model in both orders, or by their coded ratings.

A judge asked once tends to prefer a position (Zheng et al. 2023, "Judging LLM-as-a-judge"): each pair is
shown in both orders, and a verdict that turns with the order counts as a tie.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from statistics import fmean
from typing import Any, Literal, Protocol

from mirror_bench.content import content_path, read_yaml
from mirror_bench.engines.base import Engine, Message, Request, Sampling
from mirror_bench.engines.reasoning import part_thoughts
from mirror_bench.errors import EngineError, InputError
from mirror_bench.prompts import fill
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.instruments import Instrument, instrument_scores
from mirror_bench.raters.judge_json import field_of, objects_with
from mirror_bench.raters.judge_transcript import holds_quote, write_transcript
from mirror_bench.schema import Profile, Record, Session, derive_seed
from mirror_bench.waiting import gathered

Better = Literal["first", "second", "tie"]
POINTS: Mapping[str, float] = {"first": 1.0, "tie": 0.5, "second": 0.0}
"""Verdict -> what the first candidate earns by it."""
_MAX_TOKENS = 512
_LONGEST_ANSWER = 20_000
_LONGEST_REASON = 600
_LONGEST_QUOTE = 300
_MOST_QUOTES = 4
_VARIED = 0.7
_VERDICT = ("better", "verdict", "winner")
"""Names of the field that holds the verdict; the first is asked for."""
_ALONE = re.compile(
    r"[\s*_`]*(?:better|verdict|winner)?[\s*_`]*:?[\s*_`]*(?P<verdict>(?:session )?[12]|tie)[\s*_`.]*",
    re.IGNORECASE,
)
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "evidence": {"type": "array", "items": {"type": "string"}, "maxItems": _MOST_QUOTES},
        "reason": {"type": "string"},
        "better": {"enum": ["1", "2", "tie"]},
    },
    "required": ["evidence", "reason", "better"],
    "additionalProperties": False,
}


class Opinion(Record):
    """The answer to one pair of sessions in one order: which is better, and why.

    Attributes:
        better: Which session is better, whatever the order shown; None where there was no usable answer.
        reason: The judge's, or why there is none.
        evidence: Quotes that stand in one of the transcripts.
    """

    better: Better | None
    reason: str = ""
    evidence: tuple[str, ...] = ()


class Preference(Record):
    """Which of two sessions of one scenario is better, over both orders in which they were shown.

    Attributes:
        pair: The scenario without its face condition, as in `Session.pair`.
        profile_id: The client, the cluster of statistics.
        first: Name of one candidate.
        second: Name of the other.
        judge: Who compared.
        better: The verdict; a disagreement of the two orders is a tie; None where an order has no answer.
        opinions: One per order, the first session shown first and then last; one alone where order cannot
            matter.
        tokens: Words of the two therapists.
    """

    pair: str
    profile_id: str
    first: str
    second: str
    judge: str
    better: Better | None
    opinions: tuple[Opinion, ...] = ()
    tokens: tuple[int, int] = (0, 0)

    @property
    def consistent(self) -> bool | None:
        """Whether both orders were answered alike; None where there were not two answers."""
        if len(self.opinions) < 2 or any(opinion.better is None for opinion in self.opinions):
            return None
        return self.opinions[0].better == self.opinions[1].better


class Comparer(Protocol):
    """Says which of two sessions of one scenario is better."""

    @property
    def name(self) -> str:
        """The judge's name in preferences."""
        ...

    async def compare(self, first: Session, second: Session, profile: Profile) -> tuple[Opinion, ...]:
        """Returns an opinion per order."""
        ...


def verdict(opinions: tuple[Opinion, ...]) -> Better | None:
    """Returns the common answer to both orders, a tie where they differ, and None where one is missing."""
    if not opinions or any(opinion.better is None for opinion in opinions):
        return None
    answers = {opinion.better for opinion in opinions}
    return answers.pop() if len(answers) == 1 else "tie"


class LLMComparer:
    """A judge model that says which of two sessions is better, asked in both orders.

    Args:
        engine: The judge, already started.
        max_attempts: How often an order is asked for until its answer is usable.
    """

    def __init__(self, engine: Engine, max_attempts: int = 3) -> None:
        if max_attempts < 1:
            raise InputError(f"a comparing judge needs at least one attempt, not {max_attempts}")
        self._engine = engine
        self._max_attempts = max_attempts

    @property
    def name(self) -> str:
        """The judge's engine."""
        return f"llm:{self._engine.name}"

    async def compare(self, first: Session, second: Session, profile: Profile) -> tuple[Opinion, ...]:
        """Asks for both orders at once.

        Args:
            first: One session.
            second: Another of the same scenario.
            profile: Not shown to the judge, who knows what an observer could know.

        Raises:
            EngineDeadError: If the judge can answer no more.
        """
        return tuple(await gathered(self._ask(first, second, turned=turned) for turned in (False, True)))

    async def _ask(self, first: Session, second: Session, *, turned: bool) -> Opinion:
        ours, other = write_transcript(first), write_transcript(second)
        shown = (other, ours) if turned else (ours, other)
        question = fill("pairwise", first=shown[0].block, second=shown[1].block, criteria=criteria())
        messages = (Message("system", (fill("pairwise_system"),)), Message("user", (question,)))
        seed = derive_seed(
            first.scenario_id, first.therapist, second.therapist, self.name, "turned" if turned else ""
        )
        failure = ""
        for attempt in range(self._max_attempts):
            request = Request(
                messages=messages,
                sampling=Sampling(temperature=_VARIED if attempt else 0.0, max_tokens=_MAX_TOKENS),
                seed=derive_seed(seed, attempt),
                json_schema=_SCHEMA,
                attempt=attempt,
            )
            try:
                answer = await self._engine.answer(request)
            except EngineError as error:
                failure = f"the judge could not answer ({str(error)[:200]})"
                continue
            opinion = read_opinion(answer.text, turned=turned)
            if opinion.better is not None:
                quotes = tuple(q for q in opinion.evidence if holds_quote(ours, q) or holds_quote(other, q))
                missing = len(opinion.evidence) - len(quotes)
                note = (
                    f" [{missing} of {len(opinion.evidence)} quotes are in neither transcript]"
                    if missing
                    else ""
                )
                return Opinion(better=opinion.better, reason=opinion.reason + note, evidence=quotes)
            failure = opinion.reason
        return Opinion(better=None, reason=f"{failure} ({self._max_attempts} attempts)")


class CodedComparer:
    """Compares by coded ratings: the higher mean of the totals, each scaled to [0, 1], is better.

    Args:
        instruments: Those to fill in.
        margin: Nearer than this is a tie; that of `tasks/pairwise.yaml` where None.
    """

    def __init__(self, instruments: tuple[Instrument, ...], margin: float | None = None) -> None:
        self._rater = CodedRater()
        self._instruments = instruments
        self._margin = float(_content()["coded_margin"]) if margin is None else margin

    @property
    def name(self) -> str:
        """The coded rater's name."""
        return self._rater.name

    async def compare(self, first: Session, second: Session, profile: Profile) -> tuple[Opinion, ...]:
        """Rates both sessions; one opinion, since no order is involved."""
        ours, other = await self._level(first, profile), await self._level(second, profile)
        if ours is None or other is None:
            return (Opinion(better=None, reason="a session has no coded total"),)
        gap = ours - other
        better: Better = "tie" if abs(gap) < self._margin else "first" if gap > 0 else "second"
        return (Opinion(better=better, reason=f"{ours:.3f} and {other:.3f} of 1"),)

    async def _level(self, session: Session, profile: Profile) -> float | None:
        levels = []
        for instrument in self._instruments:
            scored = instrument_scores(instrument, await self._rater.rate(session, profile, instrument))
            total = scored.get(f"{instrument.name}.total")
            if total is None:
                return None
            levels.append((total - instrument.scale.min) / (instrument.scale.max - instrument.scale.min))
        return fmean(levels)


def read_opinion(text: str, *, turned: bool) -> Opinion:
    """Reads a judge's answer; of several JSON objects the last one with a verdict counts.

    Args:
        text: The whole answer.
        turned: Whether the second session was shown as session 1.
    """
    answer = part_thoughts(text).said[-_LONGEST_ANSWER:]
    objects = objects_with(answer, *_VERDICT)
    value = objects[-1] if objects else {}
    given = field_of(value, *_VERDICT)
    if given is None:
        alone = _ALONE.fullmatch(answer)
        if alone is None:
            return Opinion(better=None, reason="the answer holds no JSON object with a verdict")
        given = ("", alone["verdict"])
    said = str(given[1]).strip(" \t\n.*_\"'").lower().removeprefix("session").strip(" #:")
    names: dict[str, Better] = {"1": "first", "2": "second", "tie": "tie"}
    said = {"first": "1", "second": "2", "equal": "tie", "draw": "tie"}.get(said, said)
    if said not in names:
        return Opinion(better=None, reason=f"the verdict {json.dumps(given[1])[:40]} is none of 1, 2, tie")
    better = names[said]
    if turned and better != "tie":
        better = "second" if better == "first" else "first"
    _, evidence = field_of(value, "evidence") or ("", [])
    _, reason = field_of(value, "reason", "reasoning", "rationale") or ("", "")
    quotes = evidence if isinstance(evidence, list) else [evidence]
    return Opinion(
        better=better,
        reason=" ".join(str(reason).split())[:_LONGEST_REASON],
        evidence=tuple(q.strip()[:_LONGEST_QUOTE] for q in quotes if isinstance(q, str) and q.strip())[
            :_MOST_QUOTES
        ],
    )


@functools.cache
def _content() -> Mapping[str, Any]:
    return read_yaml(content_path("pairwise.yaml"))


def criteria() -> tuple[str, ...]:
    """Returns the criteria by which a judge compares two sessions, from `tasks/pairwise.yaml`."""
    return tuple(str(criterion) for criterion in _content()["criteria"])
