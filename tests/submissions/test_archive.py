"""Hostile zips are refused before anything is unpacked, each with its reason; nothing of them is written."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packed import Packed

from mirror_bench.errors import InputError
from mirror_bench.submissions.archive import NEEDED, read_archive, write_archive
from mirror_bench.submissions.verify import CHECKS, verify_file

SOUND = dict.fromkeys(NEEDED, b"{}\n")


def zipped(
    members: dict[str, bytes], change: Callable[[zipfile.ZipFile], None] = lambda archive: None
) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore", UserWarning)  # zipfile warns of a name that stands twice
        for name, content in members.items():
            archive.writestr(name, content)
        change(archive)
    return buffer.getvalue()


def link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("calibration.json")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(info, "/etc/passwd")


def flagged(content: bytes) -> bytes:
    """Sets the flag of encryption of the first member, in both its headers."""
    changed = bytearray(content)
    changed[6] |= 1
    changed[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)


def overlapping(content: bytes) -> bytes:
    """The second member's entry points at the first member's data, as in a bomb that does not nest."""
    changed = bytearray(content)
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)
    changed[second + 42 : second + 46] = struct.pack("<L", 0)
    return bytes(changed)


def lying(content: bytes) -> bytes:
    """The first member's entry promises a terabyte less than 4 GB."""
    changed = bytearray(content)
    first = content.index(b"PK\x01\x02")
    changed[first + 24 : first + 28] = struct.pack("<L", 0xFFFF_FFF0)
    return bytes(changed)


def crowded(content: bytes) -> bytes:
    """The end promises more members than there may be."""
    changed = bytearray(content)
    changed[-14:-10] = struct.pack("<2H", 60_000, 60_000)
    return bytes(changed)


HOSTILE = {
    "parent": (zipped({**SOUND, "../evil": b"x"}), "leads out of the folder"),
    "absolute": (zipped({**SOUND, "/etc/cron.d/evil": b"x"}), "leads out of the folder"),
    "inside": (zipped({**SOUND, "faces/../../evil": b"x"}), "leads out of the folder"),
    "drive": (zipped({**SOUND, "C:evil": b"x"}), "leads out of the folder"),
    "backslash": (zipped({**SOUND, "faces\\evil": b"x"}), "leads out of the folder"),
    "folder": (zipped({**SOUND, "faces/": b""}), "is a link or no plain file"),
    "strange": (zipped({**SOUND, "evil.py": b"x"}), "is no part of a submission"),
    "case": (zipped({**SOUND, "RUN.JSON": b"x"}), "is no part of a submission"),
    "nul": (
        zipped({**SOUND, "summary.jsonX.png": b"x"}).replace(b"jsonX.png", b"json\0.png"),
        "hides another",
    ),
    "missing": (zipped(dict.fromkeys(NEEDED[:-1], b"{}")), "summary.json is missing"),
    "empty": (zipped({}), "is missing"),
    "link": (zipped(SOUND, link), "is a link or no plain file"),
    "twice": (zipped(SOUND, lambda archive: archive.writestr("run.json", b"[]")), "run.json stands 2 times"),
    "bomb": (zipped({**SOUND, "sessions.jsonl": bytes(30_000_000)}), "a zip bomb"),
    "large": (zipped({**SOUND, "run.json": Random(1).randbytes(1_500_000)}), "1000000 are allowed"),
    "face": (zipped({**SOUND, f"faces/{'0' * 64}.png": Random(1).randbytes(1_100_000)}), "are allowed"),
    "encrypted": (flagged(zipped(SOUND)), "is encrypted"),
    "overlap": (overlapping(zipped(SOUND)), "overlap or hidden bytes"),
    "lying": (lying(zipped(SOUND)), "are allowed"),
    "crowded": (crowded(zipped(SOUND)), "members"),
    "torn": (zipped(SOUND)[:-40], "damaged"),
    "behind": (zipped(SOUND) + b"<script>", "damaged, or something follows its end"),
    "before": (b"PK\x03\x04" + zipped(SOUND), "something stands before"),
    "comment": (zipped(SOUND, lambda archive: setattr(archive, "comment", b"hello")), "follows its end"),
    "bzip2": (
        zipped(SOUND, lambda archive: archive.writestr("calibration.json", b"{}", zipfile.ZIP_BZIP2)),
        "compressed in an unusual way",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_zip_fails_the_check_of_the_archive(name: str, tmp_path: Path) -> None:
    content, reason = HOSTILE[name]
    file = tmp_path / "hostile.mirror.zip"
    file.write_bytes(content)
    verdict = verify_file(file)
    assert not verdict.verified
    assert verdict.failed == ("archive",)
    assert any(reason in problem for problem in verdict.checks[0].problems), verdict.checks[0]
    assert {check.status for check in verdict.checks[1:]} == {"skipped"}
    assert [check.name for check in verdict.checks] == list(CHECKS)
    assert list(tmp_path.iterdir()) == [file]


def test_bytes_hidden_between_members_are_found(tmp_path: Path) -> None:
    content = zipped(SOUND)
    start = content.index(b"PK\x01\x02")
    end = bytearray(content[-22:])
    end[16:20] = struct.pack("<L", start + 6)
    file = tmp_path / "hidden.mirror.zip"
    file.write_bytes(content[:start] + b"hidden" + content[start:-22] + bytes(end))
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None, "zipfile itself sees nothing wrong with it"
    assert "hidden" in read_archive(file).problems[0]


def test_a_changed_byte_of_content_is_found(scripted: Packed, tmp_path: Path) -> None:
    content = bytearray(scripted.file.read_bytes())
    content[len(content) // 2] ^= 1
    file = tmp_path / "flipped.mirror.zip"
    file.write_bytes(content)
    assert read_archive(file).problems


@pytest.mark.parametrize("content", [b"", b"hello", b"name: x\n", b"\x1f\x8b" + bytes(40)])
def test_what_is_no_zip_is_bad_input(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.mirror.zip"
    file.write_bytes(content)
    with pytest.raises(InputError, match="is no zip file: make one with mirror-bench pack"):
        verify_file(file)


def test_what_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        verify_file(tmp_path / "x.mirror.zip")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.mirror.zip"
    members = {**SOUND, f"faces/{'a' * 64}.png": bytes(range(256))}
    write_archive(file, dict(reversed(members.items())))
    first = file.read_bytes()
    assert read_archive(file) == (members, [])
    write_archive(file, members)
    assert file.read_bytes() == first


@given(place=st.floats(0, 0.999), change=st.integers(1, 255), cut=st.booleans())
def test_no_damage_raises_anything_but_bad_input(
    tmp_path_factory: pytest.TempPathFactory, place: float, change: int, cut: bool
) -> None:
    content = bytearray(zipped(SOUND))
    at = int(place * len(content))
    content[at] ^= change
    file = tmp_path_factory.mktemp("damaged") / "x.mirror.zip"
    file.write_bytes(content[:at] if cut else content)
    try:
        opened = read_archive(file)
    except InputError:
        assert at < 4, "only what does not begin as a zip is none"
        return
    # A byte of a time or an attribute may change without harm; content never.
    assert opened.problems or opened.members == SOUND
