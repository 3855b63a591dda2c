"""Describes a data set: counts and their balance, lengths, wording, expressions, moments, near-duplicates."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from statistics import fmean, median, pstdev

from mirror_bench.data.base import DataSet
from mirror_bench.data.checks.duplicates import equal_endings, equal_openings, near_duplicates
from mirror_bench.data.checks.lexical_diversity import Wording, measure_wording
from mirror_bench.data.screenplays.direction_coverage import count_directions
from mirror_bench.data.screenplays.records import (
    Screenplay,
)
from mirror_bench.schema import (
    Profile,
    Record,
    Resistance,
    Speaker,
)
from mirror_bench.text import words_of

UNKNOWN = "unknown"
NO_SPLIT = "no split"
_BANDS = ((17, "under 18"), (29, "18 to 29"), (44, "30 to 44"), (59, "45 to 59"), (74, "60 to 74"))
_OLDEST = "75 and over"
_AGES = (*(name for _, name in _BANDS), _OLDEST)
_USUAL_SPLITS = ("train", "dev", "test")
_LONGEST_NAME = 60
_LISTED = 200
"""Near-duplicates that are listed; all are counted."""


class Counts(Record):
    """How often each value occurs in each split.

    Attributes:
        values: Value -> split -> how often; without zeros, in the order of tables.
        evenness: Entropy of the totals over the greatest possible one (Pielou's J): 1 where all values that
            occur are equally frequent; None where there are fewer than two.
    """

    values: Mapping[str, Mapping[str, int]] = {}
    evenness: float | None = None

    def total(self, value: str) -> int:
        """Returns how often a value occurs in all splits together."""
        return sum(self.values.get(value, {}).values())


class CountDistribution(Record):
    """Mean, spread and range of some whole numbers, such as lengths in turns.

    Attributes:
        counts: Number -> how often, ascending.
    """

    n: int = 0
    mean: float = 0.0
    sd: float = 0.0
    least: int = 0
    median: float = 0.0
    most: int = 0
    counts: Mapping[int, int] = {}


class Expressions(Record):
    """How often the client's stage directions show each expression, and how many were not understood.

    Attributes:
        directions: How many there are.
        not_understood: How many of them hold no word that is known, and so show a neutral face.
        labels: Label of the expression -> how often, the commonest first.
    """

    directions: int = 0
    not_understood: int = 0
    labels: Mapping[str, int] = {}


class Moments(Record):
    """Counts of annotated client lines: masked ones, and what the next turn ought to do.

    Attributes:
        screenplays: Screenplays with annotations.
        masked: Lines whose words play down what the face shows, and `masked_screenplays` those that hold one.
        missed: Lines after which the written therapist does not do what is wanted.
        wants: What the next turn ought to do -> how often; `avoids` the same for what it ought not to do.
    """

    screenplays: int = 0
    moments: int = 0
    masked: int = 0
    masked_screenplays: int = 0
    missed: int = 0
    wants: Mapping[str, int] = {}
    avoids: Mapping[str, int] = {}


class Likeness(Record):
    """Which screenplays are near-duplicates, or begin or end with the same words.

    Attributes:
        near_duplicates: How many pairs share too many 5-grams.
        pairs: The likest of them: two ids and the Jaccard index.
        equal_openings: Words -> the screenplays that all begin with them; `equal_endings` likewise.
    """

    near_duplicates: int = 0
    pairs: tuple[tuple[str, str, float], ...] = ()
    equal_openings: Mapping[str, tuple[str, ...]] = {}
    equal_endings: Mapping[str, tuple[str, ...]] = {}


class DataStats(Record):
    """All measures that `data stats` prints of a data set: counts, lengths, wording, expressions, likeness.

    Attributes:
        splits: Names of the splits, in the order of tables.
        profiles: Counts over profiles: "all", "resistance", "gender", "age", "area", "trap", "crisis".
        screenplays: Counts over screenplays: "all", "resistance", "technique", "ending".
        techniques: Technique -> resistance -> screenplays.
        lines: Lines per screenplay.
        words_per_turn: Speaker -> words per line with words.
        wording: "all" and each speaker -> measures.
    """

    source: str
    digest: str
    splits: tuple[str, ...] = ()
    profiles: Mapping[str, Counts] = {}
    screenplays: Mapping[str, Counts] = {}
    techniques: Mapping[str, Mapping[str, int]] = {}
    lines: CountDistribution = CountDistribution()
    words_per_turn: Mapping[str, CountDistribution] = {}
    wording: Mapping[str, Wording] = {}
    expressions: Expressions = Expressions()
    moments: Moments = Moments()
    likeness: Likeness = Likeness()


def describe_data(data: DataSet) -> DataStats:
    """Returns the measures that `data stats` prints of a data set.

    Raises:
        InputError: If there are so many screenplays that a missing library is needed to compare them.
    """
    splits = _splits(data)
    homes = {profile.id: profile.split for profile in data.profiles}
    spoken: dict[str, list[str]] = {speaker.value: [] for speaker in Speaker}
    everything: list[str] = []
    for play in data.screenplays:
        for line in play.lines:
            spoken[line.speaker.value].append(line.words)
            everything.append(line.words)

    def counted_profiles(values: Callable[[Profile], Iterable[str]], order: Iterable[str] = ()) -> Counts:
        return count(((v, p.split) for p in data.profiles for v in values(p)), order)

    def counted_plays(value: Callable[[Screenplay], str], order: Iterable[str] = ()) -> Counts:
        return count(((value(p), p.split or homes[p.profile_id]) for p in data.screenplays), order)

    return DataStats(
        source=data.name,
        digest=data.digest,
        splits=splits,
        profiles={
            "all": counted_profiles(lambda profile: ["profiles"]),
            "resistance": counted_profiles(lambda profile: [profile.resistance.value], tuple(Resistance)),
            "gender": counted_profiles(lambda profile: [profile.gender]),
            "age": counted_profiles(lambda profile: [age_band(profile.age)], _AGES),
            "area": counted_profiles(lambda profile: [profile.area]),
            "trap": counted_profiles(lambda profile: {trap.lower() for trap in profile.thinking_traps}),
            "crisis": counted_profiles(_crises),
        },
        screenplays={
            "all": counted_plays(lambda play: "screenplays"),
            "resistance": counted_plays(lambda play: play.resistance.value, tuple(Resistance)),
            "technique": counted_plays(lambda play: play.technique),
            "ending": counted_plays(lambda play: play.ended.replace("_", " ")),
        },
        techniques=_techniques(data.screenplays),
        lines=spread(len(play.lines) for play in data.screenplays),
        words_per_turn={
            name: spread(size for text in texts if (size := len(words_of(text))))
            for name, texts in spoken.items()
        },
        wording={"all": measure_wording(everything)}
        | {name: measure_wording(texts) for name, texts in spoken.items()},
        expressions=_expressions(data),
        moments=_moments(data.screenplays),
        likeness=_likeness(data.screenplays),
    )


def count(pairs: Iterable[tuple[str, str]], first: Iterable[str] = ()) -> Counts:
    """Counts pairs of a value and its split; an empty value is unknown.

    Args:
        pairs: The pairs.
        first: The values that come first where they occur; after them, the commonest does.
    """
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for value, split in pairs:
        values[(" ".join(value.split()) or UNKNOWN)[:_LONGEST_NAME]][split or NO_SPLIT] += 1
    known = [value for value in first if value in values]
    rest = sorted(values.keys() - set(known), key=lambda v: (v == UNKNOWN, -values[v].total(), v))
    order = known + rest
    return Counts(
        values={value: dict(sorted(values[value].items())) for value in order},
        evenness=evenness([values[value].total() for value in order]),
    )


def evenness(totals: Iterable[int]) -> float | None:
    """Returns Pielou's J of some frequencies, in [0, 1], or None where fewer than two are above zero."""
    present = [total for total in totals if total > 0]
    if len(present) < 2:
        return None
    shares = [total / sum(present) for total in present]
    return min(1.0, -sum(share * math.log(share) for share in shares) / math.log(len(present)))


def spread(numbers: Iterable[int]) -> CountDistribution:
    """Returns mean, standard deviation, median and range of whole numbers."""
    values = list(numbers)
    if not values:
        return CountDistribution()
    return CountDistribution(
        n=len(values),
        mean=fmean(values),
        sd=pstdev(values),
        least=min(values),
        median=median(values),
        most=max(values),
        counts=dict(sorted(Counter(values).items())),
    )


def age_band(age: int | None) -> str:
    """Returns the name of an age's band, or "" where it is unknown."""
    if age is None:
        return ""
    return next((name for oldest, name in _BANDS if age <= oldest), _OLDEST)


def _splits(data: DataSet) -> tuple[str, ...]:
    names = {profile.split or NO_SPLIT for profile in data.profiles}
    names |= {play.split for play in data.screenplays if play.split}
    usual = [name for name in _USUAL_SPLITS if name in names]
    return (*usual, *sorted(names - set(usual)))


def _crises(profile: Profile) -> list[str]:
    if profile.crisis is None:
        return []
    return [profile.crisis.kind.replace("_", " ") + (", veiled" if profile.crisis.veiled else ", open")]


def _techniques(plays: Iterable[Screenplay]) -> dict[str, dict[str, int]]:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for play in plays:
        if play.technique:
            counted[play.technique[:_LONGEST_NAME]][play.resistance.value] += 1
    return {technique: dict(counted[technique]) for technique in sorted(counted)}


def _expressions(data: DataSet) -> Expressions:
    counted = count_directions(data)
    return Expressions(
        directions=counted.directions, not_understood=counted.neutral, labels=counted.expressions
    )


def _moments(plays: Iterable[Screenplay]) -> Moments:
    annotated = [play for play in plays if play.moments]
    moments = [moment for play in annotated for moment in play.moments]
    return Moments(
        screenplays=len(annotated),
        moments=len(moments),
        masked=sum(moment.masked for moment in moments),
        masked_screenplays=sum(any(moment.masked for moment in play.moments) for play in annotated),
        missed=sum(moment.missed for moment in moments),
        wants=dict(Counter(want for moment in moments for want in moment.wants).most_common()),
        avoids=dict(Counter(avoid for moment in moments for avoid in moment.avoids).most_common()),
    )


def _likeness(plays: tuple[Screenplay, ...]) -> Likeness:
    pairs = near_duplicates(plays)
    return Likeness(
        near_duplicates=len(pairs),
        pairs=tuple((pair.first, pair.second, round(pair.similarity, 4)) for pair in pairs[:_LISTED]),
        equal_openings=dict(equal_openings(plays)[:_LISTED]),
        equal_endings=dict(equal_endings(plays)[:_LISTED]),
    )
