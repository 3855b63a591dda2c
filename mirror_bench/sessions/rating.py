"""Rates the sessions of a run: what is due, what counts, and what was rated by another edition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from mirror_bench.errors import InputError
from mirror_bench.protocol import Fingerprint, Protocol, RaterSettings, form_name
from mirror_bench.raters.base import Rater
from mirror_bench.raters.coded import refuse_unknown_features
from mirror_bench.raters.editions import anew, asks_anew, edition_of
from mirror_bench.raters.instruments import Instrument, load_instrument, own_file
from mirror_bench.schema import Ending, Profile, Rating, Session, derive_seed, digest
from mirror_bench.sessions.added_raters import added_editions, keep_added_raters
from mirror_bench.sessions.batch import RatingDue, run_ratings
from mirror_bench.sessions.engine_pool import EnginePool, open_raters, rater_editions
from mirror_bench.sessions.judging.panel_calibration import keep_calibrations
from mirror_bench.sessions.progress import Tally, shown
from mirror_bench.sessions.run_data import data_of_run
from mirror_bench.sessions.run_folder import RunFolder, instrument_of, kept_instrument, read_ratings
from mirror_bench.sessions.run_header import RunHeader, read_header
from mirror_bench.sessions.standing import parts_of_ratings, protocol_fingerprint

Key = tuple[str, str, str]


@dataclass
class Made:
    """How many ratings one call made, how many have a score, and why others have none.

    Attributes:
        ratings: How many were made.
        scored: Those with a score of at least one item.
        reasons: Why the others have none -> how many.
    """

    ratings: int = 0
    scored: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def note(self, rating: Rating) -> None:
        """Counts a rating."""
        self.ratings += 1
        if any(item.score is not None for item in rating.items.values()):
            self.scored += 1
        else:
            self.reasons[why_unscored(rating)] += 1

    def __add__(self, other: Made) -> Made:
        return Made(self.ratings + other.ratings, self.scored + other.scored, self.reasons + other.reasons)

    @property
    def in_words(self) -> str:
        """Such as "8 ratings added, 0 scored: 8 × the coded rater has no rule for this item"."""
        told = f"{self.ratings} ratings added"
        if self.reasons:
            why = "; ".join(f"{count} × {reason}" for reason, count in self.reasons.most_common(3))
            told += f", {self.scored} scored: {why}"
        return told


def why_unscored(rating: Rating) -> str:
    """Returns the commonest reason for which a rating's items have no score, those that were lost first."""
    missing = [item for item in rating.items.values() if item.score is None]
    lost = [item for item in missing if item.lost]
    reasons = Counter(item.reason or "no reason given" for item in lost or missing)
    return reasons.most_common(1)[0][0] if reasons else ""


def rating_key(rating: Rating) -> Key:
    """Returns what tells a rating apart from the others of a run, and sorts those of one session."""
    return rating.scenario_id, rating.rater, rating.instrument


@dataclass(frozen=True)
class Standing:
    """What a run's ratings are held against: instruments and raters as they are now.

    Attributes:
        form_of: Name -> instrument.
        editions: The protocol's raters -> their editions.
        added: Raters who came later -> their editions, where they are known.
    """

    form_of: Callable[[str], Instrument]
    editions: Mapping[str, str]
    added: Mapping[str, str] = field(default_factory=dict)

    def counts(self, rating: Rating) -> bool:
        """Whether a rating was made with the present instrument and rater; an older folder does not say."""
        if rating.instrument_digest not in ("", self.form_of(rating.instrument).digest):
            return False
        own = self.added.get(rating.rater, rating.rater_edition)
        return rating.rater_edition in ("", self.editions.get(rating.rater, own))


def standing_of(folder: Path, header: RunHeader) -> Standing:
    """Returns what the ratings of a run folder are held against.

    Raises:
        InputError: If its `run.json` names a rater that does not exist.
    """
    try:
        editions = rater_editions(header.protocol.raters)
    except InputError as error:
        raise InputError(f"{folder / 'run.json'}: {error}") from None
    return Standing(cache(partial(instrument_of, folder)), editions, added_editions(folder))


def counted_ratings(folder: Path, standing: Standing, of: Collection[str] | None = None) -> Iterator[Rating]:
    """Yields the ratings that count; those made with another edition of instrument or rater do not.

    Args:
        folder: The run.
        standing: Instruments and raters as they are now.
        of: Ids of scenarios: ratings of others are passed over.
    """
    return (rating for rating in read_ratings(folder, of) if standing.counts(rating))


def load_forms(names: Sequence[str], raters: Sequence[RaterSettings]) -> list[Instrument]:
    """Returns the instruments of these names or files.

    Raises:
        InputError: If one does not exist or is malformed, two have one name, or the coded rater is to follow
            a rule with an unknown feature.
    """
    forms = [load_instrument(name) for name in names]
    twice = [name for name, count in Counter(form.name for form in forms).items() if count > 1]
    if twice:
        raise InputError(f"two instruments are named {twice[0]}: rename one of the files")
    if any(rater.kind == "coded" for rater in raters):
        for form in forms:
            refuse_unknown_features(form)
    return forms


async def rate(
    folder: RunFolder,
    raters: Sequence[Rater],
    instruments: Sequence[Instrument],
    profiles: Mapping[str, Profile],
    *,
    concurrency: int,
    quiet: bool = False,
    sessions: int | None = None,
    retry: bool = False,
    again: bool = False,
) -> Made:
    """Makes every rating that the held sessions still lack, and keeps it.

    A rating is lacking where there is none by the present edition of instrument and rater, or where the rater
    could not be asked.

    Args:
        folder: The run.
        raters: Who rates.
        instruments: What they fill in.
        profiles: Profile id -> profile.
        concurrency: Ratings at a time.
        quiet: Whether no progress is shown.
        sessions: Only so many sessions, the same ones every time; all where None.
        retry: Whether judges are asked anew, too, where their answers could not be used.
        again: Whether every rating is made anew.
    """
    kept = _Kept.read(folder, raters, instruments)
    chosen = None if sessions is None else _some(folder, sessions)
    forms = [(rater, instrument) for rater in raters for instrument in instruments]

    def rateable() -> Iterator[Session]:
        held = (session for session in folder.sessions() if session.ended is not Ending.FAILED)
        return (
            session
            for session in held
            if session.profile_id in profiles and (chosen is None or session.scenario_id in chosen)
        )

    def left() -> Iterator[RatingDue]:
        for session in rateable():
            for rater, instrument in forms:
                key = (session.scenario_id, rater.name, instrument.name)
                asked_anew = again or (retry and key in kept.unusable and key not in kept.usable)
                if asked_anew or key not in kept.settled:
                    chosen_rater = anew(rater, kept.times[key]) if asked_anew else rater
                    yield RatingDue(session, profiles[session.profile_id], chosen_rater, instrument)

    made = Made()

    def keep(rating: Rating) -> None:
        folder.keep_rating(rating)
        made.note(rating)

    total = sum(len(forms) for _ in rateable())
    before = total - sum(1 for _ in left())
    tally = Tally("ratings", total, before, before)
    async with shown(tally, f"{folder.header.candidate.therapist}, rating", quiet):
        await run_ratings(left(), keep, tally, concurrency=concurrency)
    keep_calibrations(folder.folder, raters)
    return made


async def rate_again(
    out: Path,
    raters: Sequence[RaterSettings],
    instruments: Sequence[str],
    *,
    concurrency: int = 32,
    quiet: bool = False,
    sessions: int | None = None,
    again: bool = False,
) -> Made:
    """Adds to a run folder the ratings of other raters or instruments, and says what became of them.

    Args:
        out: The run folder.
        raters: Who rates.
        instruments: What they fill in: names, or files of the user's.
        concurrency: Ratings at a time.
        quiet: Whether no progress is shown.
        sessions: Only so many sessions, the same ones every time; all where None.
        again: Whether ratings are made anew that are there already.

    Raises:
        InputError: If the folder is no run folder, or a rater or instrument does not exist.
    """
    header = read_header(out)
    known = [_known_form(out, name) for name in instruments]
    forms = load_forms(known, raters)
    profiles = {profile.id: profile for profile in data_of_run(out, header).profiles}
    with RunFolder(out, header) as folder:
        async with EnginePool(out / "calls.sqlite") as pool:
            opened = open_raters(raters, pool)
            await pool.start()
            for path in filter(None, map(own_file, known)):
                folder.keep_instrument(path)
            keep_added_raters(out, [one for one in raters if one not in header.protocol.raters])
            try:
                made = await rate(
                    folder,
                    opened,
                    forms,
                    profiles,
                    concurrency=concurrency,
                    quiet=quiet,
                    sessions=sessions,
                    again=again,
                )
            finally:
                folder.keep_adapted(pool.adapted)
        _restate(folder, profiles)
    return made


def _known_form(out: Path, name: str) -> str:
    """A name of an instrument of the user's that lies in the run folder gives that file."""
    own = kept_instrument(out, name)
    return name if own is None else str(own)


@dataclass(frozen=True)
class _Kept:
    """The ratings that a folder holds by the present editions of some raters and instruments.

    Attributes:
        settled: Those that are not due.
        usable: Those with an answer for every item that applies.
        unusable: Those that a judge gave and that lack an answer.
        times: How often a rating was made.
    """

    settled: frozenset[Key]
    usable: frozenset[Key]
    unusable: frozenset[Key]
    times: Counter[Key]

    @classmethod
    def read(cls, folder: RunFolder, raters: Sequence[Rater], instruments: Sequence[Instrument]) -> _Kept:
        """Reads the folder once."""
        editions = {rater.name: edition_of(rater) for rater in raters}
        judges = {rater.name for rater in raters if asks_anew(rater)}
        digests = {form.name: form.digest for form in instruments}
        settled, usable, unusable, times = set(), set(), set(), Counter[Key]()
        for rating in folder.ratings():
            key = rating_key(rating)
            if rating.rater not in editions or rating.instrument not in digests or rating.lost:
                continue
            times[key] += 1
            if rating.instrument_digest not in ("", digests[rating.instrument]):
                continue
            if rating.rater_edition not in ("", editions[rating.rater]):
                continue
            settled.add(key)
            if rating.rater in judges and any(i.score is None and i.applies for i in rating.items.values()):
                unusable.add(key)
            else:
                usable.add(key)
        return cls(frozenset(settled), frozenset(usable), frozenset(unusable), times)


def _some(folder: RunFolder, most: int) -> set[str]:
    """The ids of so many held scenarios, chosen by a seed of their own, whatever order they were held in."""
    held = [one.scenario_id for one in folder.sessions() if one.ended is not Ending.FAILED]
    return set(sorted(held, key=lambda id: derive_seed(id, "retest"))[:most])


def _restate(folder: RunFolder, profiles: Mapping[str, Profile]) -> None:
    """Moves the run's fingerprint to the instruments and raters by which its own ratings were made anew.

    Only where every rating that the protocol owes stands by the present ones; what held the sessions is left
    as it was recorded.
    """
    header = folder.header
    standing = standing_of(folder.folder, header)
    counted = {rating_key(one) for one in folder.ratings() if standing.counts(one) and not one.lost}
    owed = [(rater, form) for rater in standing.editions for form in header.protocol.all_instruments]
    for session in folder.sessions():
        if session.ended is Ending.FAILED or session.profile_id not in profiles:
            continue
        if any((session.scenario_id, rater, form) not in counted for rater, form in owed):
            return
    protocol = _with_kept_files(folder.folder, header)
    data = data_of_run(folder.folder, header)
    now, of_ratings = protocol_fingerprint(protocol, data).parts, parts_of_ratings(protocol)
    left = {key: value for key, value in header.parts.items() if key not in of_ratings}
    parts = left | {key: now[key] for key in of_ratings}
    if parts != header.parts:
        folder.restate(Fingerprint(digest(parts), parts))


def _with_kept_files(folder: Path, header: RunHeader) -> Protocol:
    """The protocol whose own instruments are the copies in the run folder."""
    instruments = tuple(_known_form(folder, form_name(name)) for name in header.protocol.instruments)
    return header.protocol.model_copy(update={"instruments": instruments})
