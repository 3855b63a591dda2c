"""A face source that shows recorded frames: the face of a person at each turn of a session that was held."""

from __future__ import annotations

import functools
import hashlib
import random
from pathlib import Path
from typing import NamedTuple

from mirror_bench.errors import InputError
from mirror_bench.faces.sets.folder import METADATA, Entry, read_entries, read_image
from mirror_bench.faces.sets.source import IMAGES, fitted
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Expression, FaceCondition, FaceIdentity, Scenario, derive_seed, digest

_NEEDED = ("profile", "turn", "licence", "consent")
_SHOWN = (FaceCondition.MATCHED, FaceCondition.NONE, FaceCondition.SHUFFLED)


class RecordedFrames(NamedTuple):
    """The recorded frame of each client turn, by profile, with digest and licence.

    Attributes:
        entries: Profile -> client turn, from 0 -> its frame.
        digest: Of the metadata and of every frame.
        licence: Every licence that the metadata name.
    """

    folder: Path
    entries: dict[str, dict[int, Entry]]
    digest: str
    licence: str


@functools.lru_cache(maxsize=4)
def read_frames(folder: Path) -> RecordedFrames:
    """Returns recorded frames; every image is read once, for the digest.

    Raises:
        InputError: If the metadata or an image cannot be used, or a frame states no licence or consent; it
            names file and line.
    """
    entries: dict[str, dict[int, Entry]] = {}
    held = []
    licences = set()
    for entry in read_entries(folder, _NEEDED, "faces"):
        turn, profile = entry.fields["turn"], entry.fields["profile"]
        if not turn.isdecimal() or not profile:
            raise InputError(f"{entry.where}: needs a profile and the number of its client turn, from 0")
        if int(turn) in entries.setdefault(profile, {}):
            raise InputError(f"{entry.where}: the turn {turn} of {profile} stands twice")
        if lacking := [name for name in ("licence", "consent") if not entry.fields[name]]:
            raise InputError(f"{entry.where}: states no {lacking[0]}: real faces are shown with both alone")
        entries[profile][int(turn)] = entry
        held.append([sorted(entry.fields.items()), hashlib.sha256(read_image(folder, entry)).hexdigest()])
        licences.add(entry.fields["licence"])
    return RecordedFrames(folder, entries, digest(held), ", ".join(sorted(licences)))


class FrameFaces:
    """Shows the frame of each client turn (`frames:FOLDER`); a turn without one shows no face.

    There is a frame of what was shown, and of nothing else: under `shuffled` it is that of another turn of
    the same session, and `neutral` and `incongruent` cannot be had.

    Raises:
        InputError: If the folder cannot be used.
    """

    version = "1"
    """Raised with every change of which frame is shown."""

    takes_argument = True

    def __init__(self, folder: str = "") -> None:
        if not folder:
            raise InputError("faces 'frames': name the folder of the frames, as in frames:FOLDER")
        self._frames = read_frames(Path(folder).expanduser())

    @property
    def name(self) -> str:
        """Name, version, digest and licence."""
        return f"frames/{self.version} {self._held}"

    @property
    def _held(self) -> str:
        return f"{self._frames.digest} ({self._frames.licence})"

    def stands_on(self) -> StandsOn:
        """See `FaceSource`; frames count by metadata and images, wherever they lie."""
        return StandsOn(versions={"faces.frames": self.version, IMAGES: self._held})

    def render(self, identity: FaceIdentity, expression: Expression) -> bytes:
        """Refuses: a frame belongs to a turn, not to an expression.

        Raises:
            InputError: Always.
        """
        raise InputError(
            f"faces 'frames': {self._frames.folder} has recorded turns and makes no other face: take it with "
            "the protocol replay-real and the data that were made with it"
        )

    def frame(self, scenario: Scenario, turn: int) -> bytes | None:
        """Returns the frame of a client turn as a 336x336 PNG, or None where none is to be shown.

        Raises:
            InputError: If nothing is recorded of the client, or the face condition cannot be had.
        """
        if scenario.condition not in _SHOWN:
            raise InputError(
                f"faces 'frames': the face condition {scenario.condition} cannot be had of recorded faces: "
                f"take {', '.join(_SHOWN)}"
            )
        turns = self._frames.entries.get(scenario.profile.id)
        if turns is None:
            raise InputError(
                f"{self._frames.folder / METADATA}: has no frame of {scenario.profile.id}: give the data "
                f"that were made with it (--data mini:{self._frames.folder / 'data'})"
            )
        if scenario.condition is FaceCondition.NONE or turn not in turns:
            return None
        shown = turns[turn]
        if scenario.condition is FaceCondition.SHUFFLED:
            others = sorted(number for number in turns if number != turn)
            if not others:
                return None
            draw = random.Random(derive_seed(scenario.pair, "frame", turn))
            shown = turns[draw.choice(others)]
        return fitted(read_image(self._frames.folder, shown))
