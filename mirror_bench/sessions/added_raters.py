"""The raters that a run was rated by beside its protocol's: `added_raters.json` in its folder.

By them it is told which of their ratings are of an earlier edition, as it is for the protocol's own raters.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from mirror_bench.errors import InputError
from mirror_bench.files import guarded, write_atomically
from mirror_bench.protocol import RaterSettings
from mirror_bench.sessions.engine_pool import rater_editions, rater_names

FILE = "added_raters.json"
_SETTINGS = TypeAdapter(tuple[RaterSettings, ...])


def keep_added_raters(folder: Path, raters: Sequence[RaterSettings]) -> None:
    """Adds raters to those that the folder names; of one name, the last settings count.

    Raises:
        InputError: If the file is damaged or cannot be written.
    """
    if not raters:
        return
    all_added = (*read_added_raters(folder), *raters)
    known = {name: settings for settings in all_added for name in _names(settings)}
    write_atomically(folder / FILE, _SETTINGS.dump_json(tuple(known.values()), indent=1) + b"\n")


def read_added_raters(folder: Path) -> tuple[RaterSettings, ...]:
    """Returns the raters that the folder names; none where nobody rated beside the protocol's.

    Raises:
        InputError: If the file is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        with guarded(path):
            return _SETTINGS.validate_json(path.read_bytes())
    except ValidationError:
        raise InputError(
            f"{path}: is damaged; delete it, then ratings of added raters count whatever their edition"
        ) from None


def added_editions(folder: Path) -> dict[str, str]:
    """Returns the present editions of the added raters, by name, but for those that cannot be opened here."""
    found: dict[str, str] = {}
    for settings in read_added_raters(folder):
        with suppress(InputError):  # a package or file that is not here: what it rated stays
            found |= rater_editions([settings])
    return found


def _names(settings: RaterSettings) -> list[str]:
    with suppress(InputError):
        return rater_names([settings])
    return [settings.model_dump_json()]
