"""A data set as a table: one row per profile, its screenplays nested."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from mirror_bench.data.base import DataSet
from mirror_bench.data.screenplays.records import (
    Screenplay,
)
from mirror_bench.schema import (
    Profile,
    Record,
)


def rows(data: DataSet) -> Iterator[dict[str, Any]]:
    """Yields a row per profile: the fields of `Profile`, and `screenplays`, a list of `Screenplay`s."""
    for profile in data.profiles:
        plays = [play.model_dump(mode="json") for play in data.screenplays if play.profile_id == profile.id]
        yield {**profile.model_dump(mode="json"), "screenplays": plays}


def write_parquet(data: DataSet, path: Path) -> None:
    """Writes the rows as Parquet; the columns' types follow from the records, so empty ones keep theirs."""
    import pyarrow.parquet

    pyarrow.parquet.write_table(table_of(data), path)


def table_of(data: DataSet) -> Any:
    """Returns the rows as a `pyarrow.Table`."""
    import pyarrow

    fields = [
        *_fields(Profile),
        pyarrow.field("screenplays", pyarrow.list_(pyarrow.struct(_fields(Screenplay)))),
    ]
    return pyarrow.Table.from_pylist(list(rows(data)), schema=pyarrow.schema(fields))


def arrow_table(row: type[Record], rows: Sequence[dict[str, Any]]) -> Any:
    """Returns rows of one kind of record as a `pyarrow.Table`, whose columns have types without rows too."""
    import pyarrow

    return pyarrow.Table.from_pylist(list(rows), schema=pyarrow.schema(_fields(row)))


def _fields(record: type[Record]) -> list[Any]:
    import pyarrow

    return [pyarrow.field(name, _type(info.annotation)) for name, info in record.model_fields.items()]


def _type(annotation: Any) -> Any:
    """Returns the Arrow type of a record's field."""
    import pyarrow

    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(args[0])
    if origin in (Union, types.UnionType):
        return _type(next(arg for arg in args if arg is not type(None)))
    if origin is tuple:
        return pyarrow.list_(_type(args[0]))
    if issubclass(annotation, Record):
        return pyarrow.struct(_fields(annotation))
    if issubclass(annotation, StrEnum):
        return pyarrow.string()
    simple = {str: pyarrow.string(), bool: pyarrow.bool_(), int: pyarrow.int64(), float: pyarrow.float64()}
    return simple[annotation]
