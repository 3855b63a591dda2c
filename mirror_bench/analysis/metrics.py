"""What is measured: names, titles, scales and directions of instrument and session metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from mirror_bench.analysis.attunement import ATTUNEMENT
from mirror_bench.raters.instruments import Instrument, instrument_scores, load_instrument
from mirror_bench.schema import Rating, Record

Kind = Literal["total", "subscale", "item", "session"]
Better = Literal["higher", "lower", ""]
FormOf = Callable[[str], Instrument]
KINDS: tuple[Kind, ...] = ("total", "subscale", "item", "session")


class Metric(Record):
    """The name, title, scale and better direction of one measured quantity.

    Attributes:
        name: Dotted name, as in `Score.metric`.
        title: For people.
        instrument: The instrument's name; empty for session metrics.
        kind: Where it stands in its instrument.
        low: Lower end of the scale, where it has one.
        high: Upper end of the scale.
        better: Which direction is better; empty where neither is.
        share: Whether it is 0 or 1 in each session, so that its mean is a share.
    """

    name: str
    title: str
    instrument: str = ""
    kind: Kind = "session"
    low: float | None = None
    high: float | None = None
    better: Better = ""
    share: bool = False


SESSION_METRICS = (
    Metric(name=ATTUNEMENT, title="Attunement", low=-1, high=1, better="higher"),
    Metric(name="dropout", title="Drop-out (client left)", low=0, high=1, better="lower"),
    Metric(
        name="resistance_change",
        title="Resistance, last third minus first",
        low=-1,
        high=1,
        better="lower",
    ),
    Metric(name="turns", title="Client turns", low=0),
    Metric(name="words_per_turn", title="Words per therapist turn", low=0),
)


def score_rating(rating: Rating, form_of: FormOf = load_instrument) -> Mapping[str, float | None]:
    """Returns the rating's metrics, None where it gives no usable value.

    Raises:
        InputError: If no instrument has the rating's name.
    """
    return instrument_scores(form_of(rating.instrument), rating)


def describe(
    names: Iterable[str], session_names: Iterable[str] = (), form_of: FormOf = load_instrument
) -> tuple[Metric, ...]:
    """Returns the metrics of these names in the order to show: each instrument's, then the sessions' own.

    Args:
        names: Instrument metrics met, such as "wai.bond".
        session_names: Session metrics met; "dropout", "turns" and "words_per_turn" are always there.
        form_of: Name -> instrument; a run's own where it has any.

    Raises:
        InputError: If no instrument has the first part of a name.
    """
    grouped: dict[str, list[str]] = {}
    for name in names:
        grouped.setdefault(name.partition(".")[0], []).append(name)
    found = []
    for instrument, own in sorted(grouped.items()):
        described = [_describe(form_of(instrument), name) for name in own]
        found += sorted(described, key=lambda metric: KINDS.index(metric.kind))
    met = {"dropout", "turns", "words_per_turn", *session_names}
    return (*found, *(metric for metric in SESSION_METRICS if metric.name in met))


def _describe(instrument: Instrument, name: str) -> Metric:
    part = instrument.describe_part(name.partition(".")[2])
    title = part.title.replace("_", " ").replace("cbt", "CBT")
    return Metric(
        name=name,
        title=f"{instrument.name.upper()} {title}",
        instrument=instrument.name,
        kind=part.kind,
        low=part.low,
        high=part.high,
        better=part.better,
        share=part.share,
    )
