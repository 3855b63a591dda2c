"""Checks of ratings: all there, the coded ones made anew, and judges' evidence found in the transcripts."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mirror_bench.content import names
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.instruments import Instrument, load_instrument
from mirror_bench.raters.judge_transcript import (
    LONGEST_ANSWER,
    JudgeTranscript,
    Sees,
    holds_quote,
    write_transcript,
)
from mirror_bench.raters.licence import standings
from mirror_bench.raters.names import RETEST
from mirror_bench.schema import Profile, Rating, Session
from mirror_bench.sessions.engine_pool import rater_names
from mirror_bench.sessions.rating import rating_key
from mirror_bench.submissions.findings import Check, judged, skipped
from mirror_bench.submissions.submission import Held


def check_ratings(held: Held) -> Check:
    """Every rating that is due stands once, in order, fills in its instrument, and keeps to its scale."""
    place = {session.scenario_id: number for number, (_, session) in enumerate(held.pairs)}
    ratings = held.submission.ratings
    counts = Counter(rating_key(rating) for rating in ratings)
    problems = [f"{_named(*key)} stands {count} times" for key, count in counts.items() if count > 1]
    raters, instruments = rater_names(held.protocol.raters), held.protocol.all_instruments
    due = {(session, rater, form) for session in place for rater in raters for form in instruments}
    problems += [f"{_named(*key)} is missing" for key in sorted(due - counts.keys())]
    forms = _instruments(held)
    for rating in ratings:
        problems += [f"{_named(*rating_key(rating))}: {problem}" for problem in _unsound(held, rating, forms)]
    order = [(place.get(rating.scenario_id, -1), rating.rater, rating.instrument) for rating in ratings]
    if not problems and order != sorted(order):
        problems.append("ratings do not stand in the order of the sessions")
    return judged("ratings", problems, f"{len(ratings)} ratings, {len(due)} due, each once and complete")


def check_licence(held: Held) -> Check:
    """What this machine knows of the judges; it fails nobody, as no licence comes from the file itself."""
    known = standings((rating.rater, rating.rater_edition) for rating in held.submission.ratings)
    told = "; ".join(judge.in_words for judge in known)
    if known and all(judge.licence is not None for judge in known):
        return judged("licence", [], f"known here of who rated, and refuses no file: {told}")
    return skipped("licence", told or "nobody rated")


def _unsound(held: Held, rating: Rating, forms: Mapping[str, Instrument]) -> Iterator[str]:
    header = held.submission.header
    candidate = (header.candidate.therapist, held.submission.method)
    if (rating.therapist, rating.method) != candidate:
        yield f"rates {rating.therapist} {rating.method}"
    if rating.scenario_id not in {session.scenario_id for _, session in held.pairs}:
        yield "rates no session of this run"
    if (form := forms.get(rating.instrument)) is None:
        yield "no such instrument"
        return
    if rating.instrument_digest not in ("", form.digest):
        yield "was made with another version of the instrument"
    if set(rating.items) != {item.id for item in form.items}:
        yield "its items are not those of the instrument"
    for name, item in rating.items.items():
        if item.score is None:
            if not item.reason:
                yield f"{name}: a missing score has no reason"
        elif not form.scale.min <= item.score <= form.scale.max:
            yield f"{name}: the score {item.score} is outside {form.scale.min} to {form.scale.max}"


class Recoding(NamedTuple):
    """A session, and its coded ratings that are to be made anew."""

    session: Session
    profile: Profile
    ratings: tuple[Rating, ...]


def recodings(held: Held) -> list[Recoding]:
    """Returns every session that has coded ratings, with them."""
    forms, rater = _instruments(held), CodedRater().name
    own: dict[str, list[Rating]] = {}
    for rating in held.submission.ratings:
        if rating.rater == rater and rating.instrument in forms:
            own.setdefault(rating.scenario_id, []).append(rating)
    pairs = {session.scenario_id: (scenario, session) for scenario, session in held.pairs}
    return [
        Recoding(session, scenario.profile, tuple(own[name]))
        for name, (scenario, session) in pairs.items()
        if name in own
    ]


def other_ratings(given: Recoding) -> list[str]:
    """Returns in what a session's coded ratings differ from those made anew, to the last digit."""
    return [problem for rating in given.ratings for problem in _other_rating(rating, given)]


def check_coded(held: Held) -> Check:
    """Each coded rating is made anew, to the last digit, with its evidence and reasons."""
    own = sum(rating.rater == CodedRater().name for rating in held.submission.ratings)
    problems = [problem for some in held.recoded() for problem in some]
    return judged("coded", problems, f"{own} coded ratings made anew, all alike")


def _other_rating(rating: Rating, given: Recoding) -> Iterator[str]:
    form = load_instrument(rating.instrument)
    anew = asyncio.run(CodedRater().rate(given.session, given.profile, form))
    for name in sorted({*anew.items, *rating.items}):
        mine, theirs = rating.items.get(name), anew.items.get(name)
        if mine != theirs:
            scores = [item and item.score for item in (mine, theirs)]
            what = (
                f"{scores[0]} and anew {scores[1]}" if scores[0] != scores[1] else "other evidence or reason"
            )
            yield f"{_named(*rating_key(rating))}: {name}: {what}"


def check_evidence(held: Held) -> Check:
    """Turns that a rating points at exist, and words that a judge quotes stand in the transcript."""
    sessions = {session.scenario_id: session for _, session in held.pairs}
    sees = _sees(held)
    written: dict[tuple[str, Sees], JudgeTranscript] = {}
    problems = []
    pieces = 0
    for rating in held.submission.ratings:
        if (session := sessions.get(rating.scenario_id)) is None:
            continue
        # Of a judge that is none of the protocol's nothing is known of what it was shown.
        chosen: Sees = sees.get(rating.rater.removesuffix(RETEST), "words_and_directions")
        key = (rating.scenario_id, chosen)
        for name, item in rating.items.items():
            for evidence in item.evidence:
                pieces += 1
                if isinstance(evidence, int):
                    good = 0 <= evidence < len(session.turns)
                else:
                    if key not in written:
                        written[key] = write_transcript(session, chosen, longest=LONGEST_ANSWER)
                    good = holds_quote(written[key], evidence)
                if not good:
                    what = f"turn {evidence}" if isinstance(evidence, int) else f"the quote {evidence[:60]!r}"
                    problems.append(f"{_named(*rating_key(rating))}: {name}: {what} is not in the session")
    return judged("evidence", problems, f"{pieces} pieces of evidence, all in their transcripts")


def _sees(held: Held) -> dict[str, Sees]:
    named = {rater_names([settings])[0]: settings for settings in held.protocol.raters}
    return {name: settings.sees for name, settings in named.items()}


def _instruments(held: Held) -> dict[str, Instrument]:
    """The instruments that are rated; looked up among those there are, since names come from the file."""
    wanted = {rating.instrument for rating in held.submission.ratings} | set(held.protocol.all_instruments)
    return {name: load_instrument(name) for name in names("instruments", ".yaml") if name in wanted}


def _named(scenario: str, rater: str, instrument: str) -> str:
    return f"{scenario}: {instrument} by {rater}"
