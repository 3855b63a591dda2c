"""Sessions of the project's own entries that stand after a change of the client, so that few are held anew.

A session stands where the present client, hearing the recorded words, says and does what is recorded: the
model heard the same then and would say the same again. Everything else must be as it was.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.files import write_atomically
from mirror_bench.protocol import load_protocol
from mirror_bench.sessions.run_folder import read_probes, write_probes
from mirror_bench.sessions.run_header import read_header, write_header
from mirror_bench.sessions.standing import parts_that_replays_tell, protocol_fingerprint
from mirror_bench.submissions.archive import MANIFEST, read_archive
from mirror_bench.submissions.checks.probes import derive_probe
from mirror_bench.submissions.checks.replay import replays_alike
from mirror_bench.submissions.recompute import scenarios_due
from mirror_bench.submissions.submission import Held, Submission, read_manifest, read_submission

_RATINGS = ("ratings.jsonl", "summary.json", MANIFEST)
"""What is made anew; everything else of a submission stands."""


class Kept(NamedTuple):
    """How many sessions of a submission stand, and how many are to be held anew."""

    stand: int
    anew: int


def keep_what_stands(path: Path, run: Path) -> Kept:
    """Lays out the sessions of a submission that stand as a run folder, for `mirror-bench run` to go on with.

    Args:
        path: A `*.mirror.zip` of a model; a scripted therapist is quickly held anew.
        run: The run folder, which is not there yet.

    Raises:
        InputError: If the file cannot be read, or more has changed than what a replay tells.
    """
    opened = read_archive(path)
    manifest = read_manifest(opened.members[MANIFEST]) if not opened.problems else opened.problems[0]
    submission = read_submission(opened.members, manifest) if not isinstance(manifest, str) else [manifest]
    if not isinstance(submission, Submission):
        raise InputError(f"{path}: {submission[0]}")
    protocol = load_protocol(submission.header.protocol.name)
    now = protocol_fingerprint(protocol)
    before = submission.header.parts
    changed = {key for key in now.parts.keys() | before.keys() if now.parts.get(key) != before.get(key)}
    told = parts_that_replays_tell(protocol)
    if moved := sorted(key for key in changed if key in now.parts and key not in told):
        raise InputError(f"{path}: {', '.join(moved[:3])} changed, which moves every session: hold it anew")
    lay_out(run, opened.members)
    data = load_data(protocol.data)
    held = Held(submission, protocol, data, tuple(scenarios_due(submission.header, data)))
    stand = {session.scenario_id: (scenario, session) for scenario, session in held.pairs}
    stand = {name: pair for name, pair in stand.items() if replays_alike(held, *pair)}
    lines = [f"{session.line()}\n" for _, session in stand.values()]
    write_atomically(run / "sessions.jsonl", "".join(lines).encode())
    probes = [probe for probe in read_probes(run) if probe.scenario_id in stand]
    write_probes(run, [derive_probe(held, probe, *stand[probe.scenario_id]) for probe in probes])
    header = read_header(run)
    write_header(run, header.model_copy(update={"fingerprint": now.value, "parts": now.parts}))
    return Kept(len(stand), len(submission.sessions) - len(stand))


def lay_out(folder: Path, members: Mapping[str, bytes]) -> None:
    """Writes the members of a submission as a run folder without ratings, in place of one of that name.

    Raises:
        InputError: If the folder holds something that is no run.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "run.json").is_file():
        raise InputError(f"{folder}: is no run folder and would be replaced: name another --work")
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name, content in members.items():
        if name not in _RATINGS:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
