"""What `data annotate` says of a record: every field with its source, and where sources disagree."""

from __future__ import annotations

from mirror_bench.schema import Record

PERSON = ("name", "age", "gender")
"""Fields that a model is asked for where rules are unsure."""


class SourceSpan(Record):
    """The words of an official file that a field was read from, and their place.

    Attributes:
        column: The official column ("personal_info", "dialogue", "age", ...).
        start: Place of the first character in the cell as it is written out.
        end: Place behind the last one.
        text: The characters between.
    """

    column: str
    start: int
    end: int
    text: str


class FieldReading(Record):
    """The value of one field of one client, with the words that state it and whether they are sure.

    Attributes:
        field: Its name, as in `schema.Profile`.
        value: What was read, as text; "" where nothing was.
        by: "rule" or "model"; "" where nothing was read.
        sure: Whether the source states it; what is inferred, or contradicted, is not sure.
        source: The words that say it.
        note: Why it is not sure, or missing.
    """

    field: str
    value: str = ""
    by: str = ""
    sure: bool = True
    source: SourceSpan | None = None
    note: str = ""


class Conflict(Record):
    """A field on which two sources of one record disagree.

    Attributes:
        profile_id: The client.
        file: The file, and `place` the line or number of the record in it.
        field: What they disagree about.
        kept: What stands in the written record.
        against: What the other source says.
        message: Both sources and their words, in one line.
        settled: Whether a model chose between them.
    """

    profile_id: str
    file: str
    place: int
    field: str
    kept: str
    against: str
    message: str
    settled: bool = False


class AnnotatedClient(Record):
    """All fields read from one record of the official files, and where its sources disagree.

    Attributes:
        file: The file, and `place` the line or number of the record in it.
        fields: One reading per field.
        conflicts: Where its sources disagree.
        face_reference: Number of the CelebA image that the authors conditioned on, as six digits: a reference
            alone; no image of CelebA is read, fetched or kept.
        unanswered: Why a model that was asked gave no usable answer; "" where it did, or none was asked.
    """

    profile_id: str
    file: str
    place: int
    fields: tuple[FieldReading, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    face_reference: str = ""
    unanswered: str = ""

    def reading(self, field: str) -> FieldReading:
        """Returns the reading of a field, an empty one where there is none."""
        found = (one for one in self.fields if one.field == field)
        return next(found, FieldReading(field=field, sure=False))

    @property
    def unsure(self) -> tuple[str, ...]:
        """Fields of the person that a model is to be asked for."""
        return tuple(field for field in PERSON if not self.reading(field).sure)
