"""Records as the public face returns them: lists of frozen objects that turn into `datasets.Dataset`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from mirror_bench.schema import Rating, Record, Session, Turn

if TYPE_CHECKING:
    from datasets import Dataset

R = TypeVar("R")


class Records(Sequence[R], Generic[R]):
    """A fixed list of records, each a frozen object with typed fields.

    `to_dicts` and `to_dataset` give them as plain rows, for a data frame or `datasets`.
    """

    Row: ClassVar[type[Record]]
    """One row of the table."""

    def __init__(self, records: Iterable[R] = ()) -> None:
        self._records = tuple(records)

    @overload
    def __getitem__(self, place: int) -> R: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[R, ...]: ...

    def __getitem__(self, place: int | slice) -> R | tuple[R, ...]:
        return self._records[place]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[R]:
        return iter(self._records)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._records == other._records

    def __hash__(self) -> int:
        return hash((type(self), len(self._records)))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} records)"

    def rows(self) -> Iterator[Record]:
        """Yields the rows of the table, as `Row` objects."""
        raise NotImplementedError

    def to_dicts(self) -> list[dict[str, Any]]:
        """Returns the rows as plain dictionaries, for `json`, a data frame or a database."""
        return [row.model_dump(mode="json") for row in self.rows()]

    def to_dataset(self) -> Dataset:
        """Returns the rows as a `datasets.Dataset`; columns keep their types where there are no rows."""
        from datasets import Dataset

        from mirror_bench.data.export.tables import arrow_table

        return Dataset(arrow_table(self.Row, self.to_dicts()))


class Level(Record):
    """The name and value of one latent state of the client."""

    name: str
    value: float


class TurnRow(Record):
    """A turn as a row; see `schema.Turn`. `expression` is the label of the client's own."""

    speaker: str
    words: str
    direction: str
    expression: str
    face: str
    shown: str
    state: tuple[Level, ...]
    marks: tuple[str, ...]
    raw: str
    removed: tuple[str, ...]
    caption: str
    tokens: int

    @classmethod
    def of(cls, turn: Turn) -> TurnRow:
        """Returns the row of a turn."""
        return cls(
            speaker=turn.speaker,
            words=turn.words,
            direction=turn.direction,
            expression=turn.expression.label if turn.expression else "",
            face=turn.face,
            shown=turn.shown,
            state=tuple(Level(name=name, value=value) for name, value in turn.state.items()),
            marks=turn.marks,
            raw=turn.raw,
            removed=turn.removed,
            caption=turn.caption,
            tokens=turn.tokens,
        )


class SessionRow(Record):
    """A session as a row; see `schema.Session`."""

    scenario_id: str
    profile_id: str
    resistance: str
    condition: str
    seed: int
    therapist: str
    method: str
    client: str
    ended: str
    reason: str
    only_safety: bool
    technique: str
    plan: str
    turns: tuple[TurnRow, ...]


class Sessions(Records[Session]):
    """Held sessions, `schema.Session` each; a row is a session with its turns nested."""

    Row = SessionRow

    def rows(self) -> Iterator[SessionRow]:
        """Yields a row per session."""
        for session in self:
            yield SessionRow(
                scenario_id=session.scenario_id,
                profile_id=session.profile_id,
                resistance=session.resistance,
                condition=session.condition,
                seed=session.seed,
                therapist=session.therapist,
                method=session.method,
                client=session.client,
                ended=session.ended,
                reason=session.reason,
                only_safety=session.only_safety,
                technique=session.technique,
                plan=session.plan,
                turns=tuple(map(TurnRow.of, session.turns)),
            )


class RatingRow(Record):
    """One item of a rating as a row. `score` is missing where there is none; `reason` says why.

    Attributes:
        evidence: Turns' places or quotes, as text.
    """

    scenario_id: str
    therapist: str
    method: str
    rater: str
    instrument: str
    item: str
    score: float | None
    applies: bool
    reason: str
    evidence: tuple[str, ...]


class Ratings(Records[Rating]):
    """Ratings, `schema.Rating` each; a row is one item of one rating.

    Attributes:
        told: What became of the ratings that were made just now, in words; empty where none were.
    """

    Row = RatingRow

    def __init__(self, records: Iterable[Rating] = (), told: str = "") -> None:
        super().__init__(records)
        self.told = told

    def rows(self) -> Iterator[RatingRow]:
        """Yields a row per item."""
        for rating in self:
            for name, item in rating.items.items():
                yield RatingRow(
                    scenario_id=rating.scenario_id,
                    therapist=rating.therapist,
                    method=rating.method,
                    rater=rating.rater,
                    instrument=rating.instrument,
                    item=name,
                    score=item.score,
                    applies=item.applies,
                    reason=item.reason,
                    evidence=tuple(map(str, item.evidence)),
                )
