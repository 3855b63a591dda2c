"""Data sources by name: `mini`, `mirror:PATH`, `cactus:PATH`, `vera:FOLDER` and what other packages add."""

from __future__ import annotations

from mirror_bench.data.base import DataSet
from mirror_bench.errors import InputError
from mirror_bench.files import disk_problem
from mirror_bench.registry import Registry

DATA_SOURCES = Registry(
    "data_source",
    {
        "mini": "mirror_bench.data.sources.mini:load_mini",
        "mirror": "mirror_bench.data.sources.mirror:load_mirror",
        "cactus": "mirror_bench.data.sources.cactus:load_cactus",
        "imported": "mirror_bench.data.sources.imported:load_imported",
        "vera": "mirror_bench.data.sources.vera:load_vera",
        "patienthub": "mirror_bench.data.sources.patienthub:load_patienthub",
        "mindeval": "mirror_bench.data.sources.mindeval:load_mindeval",
    },
)
"""Name -> a function of what stands behind the colon (or ""), which returns a `DataSet`."""


def load_data(source: str) -> DataSet:
    """Returns the profiles and screenplays of a data source, named `source` or `source:argument`.

    Args:
        source: `name` or `name:argument`, such as "mini" or "mirror:mirror_test.csv".

    Returns:
        Profiles and screenplays with unique ids; what could not be read stands in `problems`.

    Raises:
        InputError: If there is no such source, or nothing usable in it.
    """
    name, _, argument = source.strip().partition(":")
    if name not in DATA_SOURCES:
        remedy = (
            f"write mirror:{name} or cactus:{name}"
            if "/" in name or "." in name
            else "write NAME or NAME:PATH"
        )
        known = ", ".join(DATA_SOURCES.names())
        raise InputError(f"--data: {name[:80]!r} is no data source; known are {known}: {remedy}")
    try:
        data: DataSet = DATA_SOURCES.get(name)(argument)
    except OSError as error:  # such as a name in a manifest that no system takes
        raise disk_problem(error, argument or source) from None
    return data
