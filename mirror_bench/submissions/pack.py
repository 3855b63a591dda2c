"""Packs a run folder into one file to hand in: the same run gives the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from shlex import quote

from mirror_bench import __version__
from mirror_bench.content import names
from mirror_bench.data.base import DataSet
from mirror_bench.data.sources.imported import PROFILES
from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.factory import engine_name
from mirror_bench.errors import InputError
from mirror_bench.protocol import as_stated, load_protocol, protocol_names
from mirror_bench.schema import Ending, Rating, Record, Scenario, Session
from mirror_bench.sessions.engine_pool import rater_names
from mirror_bench.sessions.imported.runs import unpublished_import
from mirror_bench.sessions.rating import counted_ratings, rating_key, standing_of
from mirror_bench.sessions.run_data import data_of_run, scenarios_of_run
from mirror_bench.sessions.run_folder import read_probes, read_sessions
from mirror_bench.sessions.run_header import RunHeader, read_header
from mirror_bench.submissions.archive import MANIFEST, write_archive
from mirror_bench.submissions.manifest import Card, File, Manifest
from mirror_bench.submissions.recompute import coverage_of, scenarios_due, summary_of

SUFFIX = ".mirror.zip"


def pack_run(run: Path, card: Card, out: Path, *, with_faces: bool = False) -> Manifest:
    """Writes a run's submission and returns its manifest.

    Sessions stand in the order of the scenarios and ratings in that of the sessions, whenever they were made.
    Answers of models (`calls.sqlite`) are left out; so are faces, which can be drawn again, and ratings on
    instruments of the user's own, which nobody else could compute again.

    Args:
        run: The run folder.
        card: What the authors declare.
        out: The file to write, whole or not at all.
        with_faces: Whether the images that the therapist was shown are packed too.

    Raises:
        InputError: If the folder is no run folder, the run is not finished or rated, its data has changed, or
            an image is missing.
    """
    header = _published(run, read_header(run))
    data = _data(run, header)
    due = _imported_scenarios(run, header) if header.imported else scenarios_due(header, data)
    sessions = _sessions(run, due)
    ratings = _ratings(run, header, sessions)
    probes = sorted(read_probes(run), key=lambda probe: (probe.scenario_id, probe.turn, probe.shown))
    members = {
        "run.json": _pretty(header),
        "sessions.jsonl": _lines(sessions),
        "ratings.jsonl": _lines(ratings),
        "summary.json": _pretty(summary_of(header, sessions, ratings, probes, due)),
    }
    if probes:
        members["probes.jsonl"] = _lines(probes)
    if (calibration := run / "calibration.json").is_file():
        members["calibration.json"] = calibration.read_bytes()
    if header.imported:
        members[PROFILES] = (run / PROFILES).read_bytes()
    if with_faces:
        members |= _faces(run, sessions)
    manifest = Manifest(
        card=card,
        therapist=header.candidate.therapist,
        method=header.candidate.method,
        protocol=header.protocol.name,
        fingerprint=header.fingerprint,
        coverage=coverage_of(header, data, sessions, ratings, due),
        files=files_of(members),
        packed_by=__version__,
    )
    write_archive(out, {MANIFEST: manifest.text().encode(), **members})
    return manifest


def files_of(members: Mapping[str, bytes]) -> dict[str, File]:
    """Returns name -> digest and size, without the manifest itself."""
    return {
        name: File(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        for name, content in sorted(members.items())
        if name != MANIFEST
    }


def _published(run: Path, header: RunHeader) -> RunHeader:
    """Returns the header with the protocol as it is published, without the addresses of this run's servers.

    A protocol of the user's own, in a YAML file of another name, stays; `verify --protocol` takes it.

    Raises:
        InputError: If the run bears a published protocol's name and was held under other settings, as with
            `--no-safety`: `verify` would reject it.
    """
    if header.protocol.name not in protocol_names():
        return header
    published = load_protocol(header.protocol.name)
    mine, theirs = (
        as_stated(stated, engine_name).model_dump(mode="json", exclude={"title"})
        for stated in (header.protocol, published)
    )
    changed = [
        f"{key} (published {theirs[key]}, here {mine[key]})" for key in theirs if mine[key] != theirs[key]
    ]
    if not changed:
        return header.model_copy(update={"protocol": published})
    hint = " No board takes a run without safety: leave out --no-safety." if not mine["safety"] else ""
    raise InputError(
        f"{run}: was not held under the protocol {published.name} as it is published: {'; '.join(changed)}."
        f"{hint} Hold it again without these options, or under a protocol file of your own (--protocol FILE)"
    )


def _imported_scenarios(run: Path, header: RunHeader) -> list[Scenario]:
    """Returns the scenarios of an imported run in the order of its sessions.

    Raises:
        InputError: If it is rated otherwise than a published protocol has it, or a session's client is gone.
    """
    if why := unpublished_import(header):
        raise InputError(f"{run}: {why}")
    scenarios = scenarios_of_run(run, header)
    if isinstance(scenarios, int) or len(scenarios) != header.selection.sessions:
        raise InputError(f"{run}: sessions or people were taken out since it was imported: import it again")
    return scenarios


def _data(run: Path, header: RunHeader) -> DataSet:
    if header.imported:
        return data_of_run(run, header)
    data = load_data(header.protocol.data)
    if data.digest != header.parts.get("data"):
        raise InputError(
            f"{run}: the data {header.protocol.data} has changed since this run was held: hold it again, or "
            "pack it with the version of mirror-bench that held it"
        )
    return data


def _sessions(run: Path, due: Sequence[Scenario]) -> list[Session]:
    held = {session.scenario_id: session for session in read_sessions(run)}
    lacking = [scenario.id for scenario in due if scenario.id not in held]
    if lacking:
        raise InputError(
            f"{run}: {len(lacking)} of {len(due)} sessions were not held yet (first {lacking[0]}): "
            "go on with the same mirror-bench run command"
        )
    if strange := sorted(held.keys() - {scenario.id for scenario in due}):
        raise InputError(f"{run}: sessions.jsonl holds {strange[0]}, which this run does not owe: remove it")
    return [held[scenario.id] for scenario in due]


def _ratings(run: Path, header: RunHeader, sessions: Sequence[Session]) -> list[Rating]:
    place = {
        session.scenario_id: number
        for number, session in enumerate(sessions)
        if session.ended is not Ending.FAILED
    }
    packaged = set(names("instruments", ".yaml"))
    if own := sorted(set(header.protocol.all_instruments) - packaged):
        raise InputError(
            f"{run}: was rated with {own[0]}, an instrument of your own, so that nobody else can compute its "
            "scores again: hold the run with packaged instruments, and add yours by mirror-bench rate"
        )
    made: dict[tuple[str, str, str], Rating] = {}
    for rating in counted_ratings(run, standing_of(run, header)):
        key = rating_key(rating)
        if rating.instrument not in packaged or rating.scenario_id not in place:
            continue
        if not (rating.lost and key in made):
            made[key] = rating
    lacking = sum(
        (kept := made.get((session, rater, instrument))) is None or kept.lost
        for session in place
        for rater in rater_names(header.protocol.raters)
        for instrument in header.protocol.all_instruments
    )
    if lacking:
        raise InputError(
            f"{run}: {lacking} ratings are still to be made: make them with "
            f"mirror-bench rate {quote(str(run))}"
        )
    return sorted(
        made.values(), key=lambda rating: (place[rating.scenario_id], rating.rater, rating.instrument)
    )


def _faces(run: Path, sessions: Iterable[Session]) -> dict[str, bytes]:
    shown = sorted({turn.face for session in sessions for turn in session.turns if turn.face})
    faces = {}
    for sha256 in shown:
        path = run / "faces" / f"{sha256}.png"
        if not path.is_file():
            raise InputError(f"{path}: is missing: pack without --with-faces")
        faces[f"faces/{sha256}.png"] = path.read_bytes()
    return faces


def _lines(records: Iterable[Record]) -> bytes:
    return "".join(f"{record.line()}\n" for record in records).encode()


def _pretty(record: Record) -> bytes:
    text = json.dumps(record.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()
