"""Submissions rated anew after a change of raters: their sessions stand, so nobody need hold them again."""

from __future__ import annotations

import json
from pathlib import Path

from leaderboard.cache import ENDING
from leaderboard.keeping import lay_out
from leaderboard.own_submissions import mirror, pack_verified
from mirror_bench.data.base import DataSet
from mirror_bench.errors import InputError
from mirror_bench.protocol import load_protocol
from mirror_bench.sessions.imported.runs import imported_protocol
from mirror_bench.sessions.run_header import RunHeader, read_header
from mirror_bench.sessions.standing import parts_of_ratings, protocol_fingerprint
from mirror_bench.submissions.archive import MANIFEST, read_archive


def rate_anew(path: Path, work: Path) -> Path | None:
    """Rates a submission's sessions by the present raters, packs and verifies it, and replaces the file.

    Args:
        path: A `*.mirror.zip`; it is replaced once no check of the new one fails.
        work: Where the run folder is laid out; one of the same name is replaced.

    Returns:
        The path, or None where the ratings are those of the present raters already.

    Raises:
        InputError: If the file cannot be read, anything that moves sessions has changed too, or a step fails.
    """
    opened = read_archive(path)
    if opened.problems:
        raise InputError(f"{path}: {opened.problems[0]}")
    folder = work / path.name.removesuffix(ENDING)
    lay_out(folder, opened.members)
    header = read_header(folder)
    if not _due(path, header):
        return None
    mirror("rate", folder)
    return pack_verified(folder, json.loads(opened.members[MANIFEST])["card"], path)


def _due(path: Path, header: RunHeader) -> bool:
    """Tells whether raters alone have changed since a submission was made.

    Raises:
        InputError: If something else has changed as well.
    """
    if header.imported is None:
        protocol = load_protocol(header.protocol.name)
        now = dict(protocol_fingerprint(protocol).parts)
    else:
        protocol = imported_protocol(load_protocol(header.imported.rated_as))
        now = dict(protocol_fingerprint(protocol, DataSet("imported")).parts)
        now["data"] = header.parts["data"]  # its people came with it
    changed = {key for key in now.keys() | header.parts.keys() if now.get(key) != header.parts.get(key)}
    if moved := sorted(changed - parts_of_ratings(protocol)):
        raise InputError(
            f"{path}: {', '.join(moved[:3])} changed since its sessions were held, which moves more than "
            "ratings: hold it anew (python -m leaderboard entries NAME, or ask its authors)"
        )
    return bool(changed)
