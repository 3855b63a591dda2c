"""What an earlier build made of each submission, so that only what changed is verified and written again.

Everything is kept under a digest of all that it follows from: the submission's bytes, the code and content
of mirror-bench, the judges' licences, the site's own code and templates, and the packages that compute and
draw. So nothing is ever out of date; what cannot be read is made anew; and what a build did not use is
removed at its end.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, Any

import mirror_bench
from mirror_bench.content import tasks_root
from mirror_bench.errors import InputError
from mirror_bench.files import write_atomically
from mirror_bench.raters.licence import licence_folder

if TYPE_CHECKING:
    from mirror_bench.submissions.findings import Verdict

HERE = Path(__file__).parent
ENDING = ".mirror.zip"
DEFAULT = HERE.parent / "build" / ".board-cache"
_PACKAGES = ("jinja2", "numpy", "opencv-python-headless", "pillow", "pydantic", "scipy")
"""Packages whose other version may compute or draw otherwise."""
_FACE = re.compile(r"faces/([0-9a-f]{64})\.webp")
_SESSION = re.compile(r"sessions/[0-9]{1,9}\.js")


class BoardCache:
    """A folder of what earlier builds made; where it cannot be written, the next build has more to do.

    Args:
        folder: Made where missing; it holds nothing that cannot be made again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used: set[Path] = set()

    @cached_property
    def measuring(self) -> str:
        """Digest of all that decides what is found of a submission."""
        packages = [f"python {python_version()}", *(f"{name} {_version(name)}" for name in _PACKAGES)]
        package = Path(mirror_bench.__file__).parent
        return _digest([*packages, digest_of(package), digest_of(tasks_root()), digest_of(licence_folder())])

    @cached_property
    def writing(self) -> str:
        """Digest of all that decides what the site says of a submission."""
        own = (digest_of(path) for path in sorted(HERE.iterdir()) if path.name != "submissions")
        return _digest([self.measuring, *own])

    def verdict(self, submission: str) -> Verdict | None:
        """Returns what `verify` said of the submission with this digest, or None."""
        from mirror_bench.submissions.findings import Verdict

        with suppress(OSError, ValueError):
            return Verdict.model_validate_json(self._verdicts(submission).read_bytes())
        return None

    def keep_verdict(self, submission: str, verdict: Verdict) -> None:
        """Keeps what `verify` said of a submission."""
        _keep(self._verdicts(submission), verdict.model_dump_json().encode())

    def sessions(self, key: Iterable[str]) -> tuple[dict[str, bytes], dict[str, bytes]] | None:
        """Returns the files of a model's sessions by name, and its faces by SHA-256; None where not kept."""
        scripts: dict[str, bytes] = {}
        faces: dict[str, bytes] = {}
        try:
            with zipfile.ZipFile(self._pages(key)) as kept:
                for name in kept.namelist():
                    if face := _FACE.fullmatch(name):
                        faces[face.group(1)] = kept.read(name)
                    elif _SESSION.fullmatch(name):
                        scripts[name.removeprefix("sessions/")] = kept.read(name)
                    else:
                        return None
        except (OSError, zipfile.BadZipFile, zlib.error, ValueError, EOFError, NotImplementedError):
            return None
        return scripts, faces

    def keep_sessions(
        self, key: Iterable[str], scripts: Mapping[str, bytes], faces: Mapping[str, bytes]
    ) -> None:
        """Keeps what `sessions` returns."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as kept:
            for name, script in scripts.items():
                kept.writestr(f"sessions/{name}", script)
            for name, face in faces.items():
                kept.writestr(f"faces/{name}.webp", face)
        _keep(self._pages(key), content.getvalue())

    def written(self, out: Path, submissions: Mapping[str, str], verify: bool) -> dict[str, Any] | None:
        """Returns what was told of the site in `out`, if it still is what these submissions give.

        Args:
            out: The site.
            submissions: File name -> digest.
            verify: Whether they are verified.
        """
        with suppress(OSError, ValueError, TypeError, KeyError):
            kept = json.loads(self._site(out).read_text(encoding="utf-8"))
            if kept["of"] == self._state(submissions, verify) and kept["site"] == digest_of(out):
                return dict(kept["told"])
        return None

    def keep_written(
        self, out: Path, submissions: Mapping[str, str], verify: bool, told: Mapping[str, Any]
    ) -> None:
        """Keeps what is told of the site in `out`, and removes what no build of it used."""
        kept = {"of": self._state(submissions, verify), "site": digest_of(out), "told": dict(told)}
        _keep(self._site(out), json.dumps(kept).encode())
        for kind in ("verdicts", "sessions"):
            for path in (self._folder / kind).glob("*"):
                if path not in self._used:
                    with suppress(OSError):
                        path.unlink()

    def _verdicts(self, submission: str) -> Path:
        return self._place("verdicts", [self.measuring, submission], "json")

    def _pages(self, key: Iterable[str]) -> Path:
        return self._place("sessions", [self.writing, *key], "zip")

    def _site(self, out: Path) -> Path:
        return self._place("sites", [str(out.resolve())], "json")

    def _place(self, kind: str, parts: Iterable[str], ending: str) -> Path:
        path = self._folder / kind / f"{_digest(parts)}.{ending}"
        self._used.add(path)
        return path

    def _state(self, submissions: Mapping[str, str], verify: bool) -> str:
        return _digest([self.writing, str(verify), json.dumps(submissions, sort_keys=True)])


def find_submissions(place: Path) -> list[Path]:
    """Returns what was handed in, in the order of names.

    Raises:
        InputError: If the folder is missing or holds no submission.
    """
    if not place.is_dir():
        raise InputError(f"--submissions {place} is no folder: name one that holds *{ENDING} or run folders")
    found = [path for path in sorted(place.iterdir()) if _is_submission(path)]
    if not found:
        raise InputError(f"--submissions {place} holds no submission: put *{ENDING} or run folders into it")
    return found


def digest_of(path: Path) -> str:
    """Returns the SHA-256 of a file, or of a folder's names and files; compiled code is left out.

    Raises:
        OSError: If something of it cannot be read.
    """
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return _digest(
        part for one in sorted(_files(path)) for part in (one.relative_to(path).as_posix(), digest_of(one))
    )


def _keep(path: Path, content: bytes) -> None:
    with suppress(InputError):
        write_atomically(path, content)


def _files(folder: Path) -> Iterator[Path]:
    return (one for one in folder.rglob("*") if one.is_file() and "__pycache__" not in one.parts)


def _digest(parts: Iterable[str]) -> str:
    made = hashlib.sha256()
    for part in parts:
        made.update(f"{len(part)}:{part}\n".encode("utf-8", "surrogateescape"))
    return made.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _is_submission(path: Path) -> bool:
    return path.name.endswith(ENDING) if path.is_file() else (path / "run.json").is_file()
