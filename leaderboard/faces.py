"""Faces on the site: small files that every session's page shares, drawn again where none was handed in."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.faces.conditions import expression_at_turn
from mirror_bench.faces.factory import open_faces
from mirror_bench.faces.identity import identity_of
from mirror_bench.pages.session_viewer import PNG
from mirror_bench.schema import Expression, Profile, Session, Speaker, Turn
from mirror_bench.sessions.run_header import RunHeader

SHA256 = re.compile(r"[0-9a-f]{64}")
LARGEST_SIDE = 336
LARGEST_BYTES = 1_000_000
MOST_PIXELS = 4_000_000


class FaceFiles:
    """Writes each face once, as `<sha256>.webp`.

    Args:
        folder: Where to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: set[str] = set()

    def keep(self, session: Session, run: Path, artist: Artist) -> dict[str, bool]:
        """Writes the faces of a session and returns SHA-256 -> whether the site has that face.

        A face is an image with the digest that the session names, found in the run or drawn again; anything
        else is left out.

        Args:
            session: The session.
            run: The run folder, which may hold `faces/<sha256>.png`.
            artist: Draws what the run does not hold.
        """
        clients = [turn for turn in session.turns if turn.speaker is Speaker.CLIENT]
        for number, turn in enumerate(clients):
            if SHA256.fullmatch(turn.face) and turn.face not in self._kept:
                png = _read(run / "faces" / f"{turn.face}.png") or artist.draw(session, number, turn)
                if png and hashlib.sha256(png).hexdigest() == turn.face and self._write(turn.face, png):
                    self._kept.add(turn.face)
        return {turn.face: turn.face in self._kept for turn in clients}

    def adopt(self, made: Mapping[str, bytes]) -> None:
        """Takes over faces that an earlier build wrote: SHA-256 -> file."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for sha256, content in made.items():
            if sha256 not in self._kept:
                (self._folder / f"{sha256}.webp").write_bytes(content)
                self._kept.add(sha256)

    def files(self, wanted: Iterable[str]) -> dict[str, bytes]:
        """Returns those of the wanted faces that were written: SHA-256 -> file."""
        return {one: (self._folder / f"{one}.webp").read_bytes() for one in wanted if one in self._kept}

    def _write(self, sha256: str, png: bytes) -> bool:
        """Writes an image anew from its pixels, so that nothing but an image comes through."""
        from PIL import Image

        try:
            with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
                if image.width * image.height > MOST_PIXELS:
                    return False
                small = image.convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return False
        small.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
        self._folder.mkdir(parents=True, exist_ok=True)
        small.save(self._folder / f"{sha256}.webp", "WEBP", quality=72, method=2)
        return True


class Artist:
    """Draws the faces of a run again, from the profiles of its data.

    Args:
        header: The run's header. Where its data or its face source is not at hand, nothing is drawn.
    """

    def __init__(self, header: RunHeader) -> None:
        self._profiles: dict[str, Profile] = {}
        try:
            # A stranger's record opens no folder: of a prepared set, the run holds what it showed.
            faces = header.protocol.faces
            self._source = open_faces(faces.kind, options=faces.options)
            self._profiles = {one.id: one for one in load_data(header.protocol.data).profiles}
        except InputError:
            return

    def draw(self, session: Session, number: int, turn: Turn) -> bytes | None:
        """Returns the PNG that was shown at a client turn (from 0), or None where it cannot be drawn."""
        profile = self._profiles.get(session.profile_id)
        own = turn.expression or Expression()
        shown = expression_at_turn(session.condition, own, session.pair, number)
        if profile is None or shown is None:
            return None
        try:
            png: bytes = self._source.render(identity_of(profile), shown)
            return png
        except InputError:
            return None


def _read(path: Path) -> bytes | None:
    if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
        return None
    content = path.read_bytes()
    return content if content.startswith(PNG) else None
