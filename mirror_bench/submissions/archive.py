"""The zip file of a submission: written to the same bytes every time, read as a stranger's file.

Reading trusts nothing: only known names, each once, plain files without gaps between them, nothing encrypted,
and no more bytes unpacked than the limits allow (the attacks are those of Fifield 2019, "A better zip bomb").
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mirror_bench.errors import InputError
from mirror_bench.files import write_atomically

MANIFEST = "manifest.json"
MB = 1_000_000
LARGEST = {
    MANIFEST: 8 * MB,
    "run.json": MB,
    "sessions.jsonl": 1_000 * MB,
    "ratings.jsonl": 1_000 * MB,
    "summary.json": 100 * MB,
    "probes.jsonl": 500 * MB,
    "calibration.json": MB,
    "profiles.jsonl": 500 * MB,
}
"""Member -> the most bytes it may unpack to."""
NEEDED = (MANIFEST, "run.json", "sessions.jsonl", "ratings.jsonl", "summary.json")
FACE = re.compile(r"faces/([0-9a-f]{64})\.png")
LARGEST_FACE = MB
MOST_MEMBERS = 50_000
LARGEST_ARCHIVE = 1_000 * MB
LARGEST_UNPACKED = 2_000 * MB
MOST_COMPRESSED = 250
"""How many times larger than in the zip a member may be; text of sessions shrinks to a tenth or less."""

_END = struct.Struct("<4s4H2LH")
_LOCAL = struct.Struct("<4s5H3L2H")


class Opened(NamedTuple):
    """The members of a zip file, or why it is not safe to read.

    Attributes:
        members: Name -> content; empty where there are problems.
        problems: What is wrong with the zip.
    """

    members: Mapping[str, bytes]
    problems: Sequence[str]


def write_archive(path: Path, members: Mapping[str, bytes]) -> None:
    """Writes a zip: members sorted, without times, at one level of compression, so the bytes repeat."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, members[name], zipfile.ZIP_DEFLATED, 9)
    write_atomically(path, buffer.getvalue())


def read_archive(path: Path) -> Opened:
    """Returns the members of a submission's zip, or why it is not safe to read.

    Raises:
        InputError: If the file cannot be read or is no zip file.
    """
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if size > LARGEST_ARCHIVE:
                return Opened({}, [f"the file has {size} bytes: {LARGEST_ARCHIVE} are allowed"])
            if file.read(4) not in {b"PK\x03\x04", b"PK\x05\x06"}:
                raise InputError(f"{path}: is no zip file: make one with mirror-bench pack")
            return _read(file, size)
    except OSError as error:
        why = error.strerror or "no seekable file"
        raise InputError(
            f"{path}: cannot be read ({why}): name a file that mirror-bench pack wrote"
        ) from None


def _read(file: BinaryIO, size: int) -> Opened:
    if problem := _misshapen(file, size):
        return Opened({}, [problem])
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            problems = _problems(infos) or _untiled(file, size, infos)
            if problems:
                return Opened({}, problems)
            # Reading at most the declared size checks the length and, at its end, the CRC.
            return Opened({info.filename: _member(archive, info) for info in infos}, [])
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        ValueError,
        struct.error,
    ) as error:
        return Opened({}, [f"the zip is damaged: {error}"])


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    with archive.open(info) as member:
        content = member.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise zipfile.BadZipFile(f"{info.filename} has another length than it says")
    return content


def _misshapen(file: BinaryIO, size: int) -> str:
    """Tells what is wrong with the zip's end, before its list of members is read into memory."""
    if size < _END.size:
        return "the zip is damaged: it breaks off"
    file.seek(size - _END.size)
    mark, disk, first, here, members, length, start, comment = _END.unpack(file.read(_END.size))
    if mark != b"PK\x05\x06" or comment:
        return "the zip is damaged, or something follows its end: bytes behind the list of members"
    if disk or first or here != members or members > MOST_MEMBERS or length > MOST_MEMBERS * 300:
        return f"the zip has more than {MOST_MEMBERS} members, or several parts"
    if start + length + _END.size != size:
        return "the zip is damaged, or something stands before its first member"
    return ""


def _problems(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    found = []
    for name, count in Counter(info.filename for info in infos).items():
        if count > 1:
            found.append(f"{name} stands {count} times")
    found += [problem for info in infos if (problem := _problem(info))]
    if (total := sum(info.file_size for info in infos)) > LARGEST_UNPACKED:
        found.append(f"the zip unpacks to {total} bytes: {LARGEST_UNPACKED} are allowed")
    found += [f"{name} is missing" for name in NEEDED if name not in {info.filename for info in infos}]
    return found


def _problem(info: zipfile.ZipInfo) -> str:
    name, kind = info.filename, stat.S_IFMT(info.external_attr >> 16)
    if info.orig_filename != name:
        return f"{name!r} hides another name: {info.orig_filename!r}"
    if name.startswith("/") or ".." in name.split("/") or "\\" in name or ":" in name:
        return f"{name!r} leads out of the folder"
    if kind not in {0, stat.S_IFREG}:
        return f"{name} is a link or no plain file"
    if info.flag_bits & 0x1:
        return f"{name} is encrypted"
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return f"{name} is compressed in an unusual way ({info.compress_type})"
    most = LARGEST.get(name, LARGEST_FACE if FACE.fullmatch(name) else -1)
    if most < 0:
        return f"{name!r} is no part of a submission"
    if info.file_size > most:
        return f"{name} has {info.file_size} bytes: {most} are allowed"
    if info.file_size > MOST_COMPRESSED * max(1_000, info.compress_size):
        return f"{name} unpacks to {info.file_size} bytes from {info.compress_size}: a zip bomb"
    return ""


def _untiled(file: BinaryIO, size: int, infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Members must follow each other without gap or overlap: nothing is hidden, nothing is unpacked twice."""
    place = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset != place:
            return [
                f"{info.filename} does not begin where the member before it ends: overlap or hidden bytes"
            ]
        file.seek(place)
        head = file.read(_LOCAL.size)
        if len(head) < _LOCAL.size:
            return [f"{info.filename} lies outside the file"]
        *_, name, extra = _LOCAL.unpack(head)
        place += _LOCAL.size + name + extra + info.compress_size
    file.seek(size - _END.size)
    start = _END.unpack(file.read(_END.size))[6]
    return [] if place == start else ["bytes are hidden between the last member and the list of members"]
