"""Faces on the site: drawn once into small files that every session's page shares."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

from mirror_bench.reports.transcripts import PNG

SHA256 = re.compile(r"[0-9a-f]{64}")
LARGEST_SIDE = 336
LARGEST_BYTES = 1_000_000
MOST_PIXELS = 4_000_000


class FaceFiles:
    """Writes each face once.

    Args:
        folder: Where to, as `<sha256>.webp`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, bool] = {}

    def keep(self, sha256: str, source: Path) -> bool:
        """Writes a face, made anew from its pixels so that nothing but an image comes through.

        Args:
            sha256: The face's name in the session; anything else than a digest is refused.
            source: The run folder that holds `faces/<sha256>.png`.

        Returns:
            Whether the site has it; not where the image is missing, too large or another than its name says.
        """
        if not SHA256.fullmatch(sha256):
            return False
        if not self._known.get(sha256):
            self._known[sha256] = self._write(sha256, source / "faces" / f"{sha256}.png")
        return self._known[sha256]

    def _write(self, sha256: str, path: Path) -> bool:
        from PIL import Image

        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            return False
        content = path.read_bytes()
        if not content.startswith(PNG) or hashlib.sha256(content).hexdigest() != sha256:
            return False
        try:
            with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
                if image.width * image.height > MOST_PIXELS:
                    return False
                small = image.convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return False
        small.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
        self._folder.mkdir(parents=True, exist_ok=True)
        small.save(self._folder / f"{sha256}.webp", "WEBP", quality=72, method=4)
        return True
