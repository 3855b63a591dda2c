"""Checks for transcripts that were copied, made from a template, or said by one who knows the test data."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from mirror_bench.data.base import DataSet
from mirror_bench.data.checks.canary import holds_canary
from mirror_bench.data.checks.contamination import RUN, Protected
from mirror_bench.schema import Session, Speaker
from mirror_bench.submissions.findings import Check, judged
from mirror_bench.submissions.submission import Held
from mirror_bench.text import ngrams, words_of

ALIKE = 0.8
"""Share of turns, equal at the same place, from which on two sessions count as one copied."""
SHORTEST = 5
"""Turns from which a session can count as a copy; shorter ones may be alike by chance."""
TEMPLATED = 0.25
"""Share of sessions in which a therapist may say to somebody what it says to another person, turn by turn."""
LEAKS = 3
"""Sessions with words of the test data that nobody had said, from which on they are no accident."""


class Talk(NamedTuple):
    """What was said in one session, in plain words, and to whom."""

    name: str
    owner: str
    turns: tuple[str, ...]


class Twin(NamedTuple):
    """The talk with somebody else that is most like one talk, and their share of equal turns."""

    talk: str
    other: str
    share: float


def check_duplicates(held: Held) -> Check:
    """No session is a copy of one with another person, or under another seed."""
    whole = [_talk(session, session.profile_id, None) for _, session in held.pairs]
    twins = [twin for twin in closest(whole, SHORTEST) if twin.share >= ALIKE]
    problems = [f"{twin.talk} and {twin.other} share {twin.share:.0%} of their turns" for twin in twins]
    exact: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for _, session in held.pairs:
        if len(session.turns) >= SHORTEST:
            exact[_talk(session, "", None).turns].setdefault(session.pair, session.scenario_id)
    for copies in exact.values():
        people = {pair.partition(":")[0] for pair in copies}
        if len(copies) > len(people) == 1:
            problems.append(f"{' and '.join(list(copies.values())[:2])} are the same, turn by turn")
    return judged("duplicates", problems, f"no two of {len(whole)} sessions are copies")


def check_templates(held: Held) -> Check:
    """A therapist that is not declared as templated does not say the same to everybody."""
    talks = [_talk(session, session.profile_id, Speaker.THERAPIST) for _, session in held.pairs]
    twins = [twin for twin in closest(talks, SHORTEST // 2 + 1) if twin.share >= ALIKE]
    share = len(twins) / len(talks) if talks else 0.0
    text = f"{share:.0%} of the sessions repeat, turn by turn, what was said to another person"
    declared = held.submission.manifest.card.templated
    if share <= TEMPLATED or declared:
        return judged("templates", [], f"{text}{' (declared as templated)' if declared else ''}")
    first = f", such as {twins[0].talk} and {twins[0].other}"
    return judged("templates", [f"{text}{first}: a template must be declared (templated: true)"], "")


def check_contamination(held: Held) -> Check:
    """No therapist says the canary, or more than by accident what the client has not told yet."""
    data = held.data.of_split(held.protocol.split)
    protected = Protected(_clients_words(data))
    problems, leaks = [], []
    for _, session in held.pairs:
        texts = (text for turn in session.turns for text in (turn.words, turn.raw, turn.caption))
        if holds_canary("\n".join((*texts, session.plan))):
            problems.append(f"{session.scenario_id}: the canary of the test data stands in it")
        elif leak := _leak(session, protected):
            leaks.append(f"{session.scenario_id}: says what the client has not told: {leak!r}")
    if len(leaks) >= LEAKS:
        problems += leaks
    text = f"no canary; {len(leaks)} sessions hold words of the test data that were not said in them"
    return judged("contamination", problems, text)


def closest(talks: Sequence[Talk], least: int) -> Iterator[Twin]:
    """Yields, for each talk that shares a turn with one of another owner, the one most like it.

    A share is that of turns that are equal at the same place, of the longer of both talks; talks of fewer
    than `least` turns are left out.
    """
    groups: dict[tuple[str, ...], list[Talk]] = defaultdict(list)
    for talk in talks:
        if len(talk.turns) >= least:
            groups[talk.turns].append(talk)
    distinct = list(groups)
    shared = _shared(distinct)
    for number, turns in enumerate(distinct):
        own = groups[turns]
        for talk in own:
            twins = [Twin(talk.name, other.name, 1.0) for other in own if other.owner != talk.owner][:1]
            for place, count in () if twins else shared.get(number, {}).items():
                share = count / max(len(turns), len(distinct[place]))
                twins += [
                    Twin(talk.name, other.name, share)
                    for other in groups[distinct[place]]
                    if other.owner != talk.owner
                ][:1]
            if twins:
                yield max(twins, key=lambda twin: twin.share)


def _shared(talks: Sequence[tuple[str, ...]]) -> dict[int, Counter[int]]:
    """Returns talk -> other talk -> turns that are equal at the same place."""
    places: dict[tuple[int, str], list[int]] = defaultdict(list)
    for number, turns in enumerate(talks):
        for place, words in enumerate(turns):
            if words:
                places[place, words].append(number)
    shared: dict[int, Counter[int]] = defaultdict(Counter)
    for numbers in places.values():
        for first, other in combinations(numbers, 2):
            shared[first][other] += 1
            shared[other][first] += 1
    return shared


def _talk(session: Session, owner: str, speaker: Speaker | None) -> Talk:
    turns = (turn for turn in session.turns if speaker is None or turn.speaker is speaker)
    return Talk(session.scenario_id, owner, tuple(" ".join(words_of(turn.words)) for turn in turns))


def _clients_words(data: DataSet) -> DataSet:
    """Returns the data with the clients' lines alone: what a written therapist says is nobody's secret."""
    plays = tuple(
        play.model_copy(
            update={"lines": tuple(line for line in play.lines if line.speaker is Speaker.CLIENT)}
        )
        for play in data.screenplays
    )
    return replace(data, screenplays=plays)


def _leak(session: Session, protected: Protected) -> str:
    """Returns words of the test data that the therapist says before the client has said them, or ""."""
    heard = ""
    for turn in session.turns:
        words = " ".join(words_of(turn.words))
        if turn.speaker is Speaker.CLIENT:
            heard = f"{heard} {words}"
        elif protected.check("", turn.words):
            for run in ngrams(words_of(turn.words), RUN):
                said = " ".join(run)
                if said not in heard and protected.check("", said):
                    return said
    return ""
