"""Checks of what the manifest says: that it fits the files and the run."""

from __future__ import annotations

from mirror_bench.sessions.build import client_name
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.submissions.archive import FACE
from mirror_bench.submissions.card import derived
from mirror_bench.submissions.findings import Check, judged
from mirror_bench.submissions.pack import files_of
from mirror_bench.submissions.submission import Held, Submission


def check_files(submission: Submission) -> Check:
    """Every file is the one that the manifest lists, and images are those of their names."""
    found, listed = files_of(submission.members), submission.manifest.files
    problems = [f"{name} is not listed in the manifest" for name in sorted(found.keys() - listed.keys())]
    problems += [f"{name} is listed and missing" for name in sorted(listed.keys() - found.keys())]
    for name in sorted(found.keys() & listed.keys()):
        if found[name] != listed[name]:
            problems.append(f"{name} is another file than the manifest lists (SHA-256 or size differ)")
    shown = {turn.face for session in submission.sessions for turn in session.turns}
    for name, file in found.items():
        if face := FACE.fullmatch(name):
            if face.group(1) != file.sha256:
                problems.append(f"{name} is not the image of its name")
            elif face.group(1) not in shown:
                problems.append(f"{name} was shown in no session")
    return judged("files", problems, f"{len(found)} files have the listed digests and sizes")


def check_identity(held: Held) -> Check:
    """Manifest, header and every record name the same candidate and client."""
    submission = held.submission
    manifest, header = submission.manifest, submission.header
    said = {
        "therapist": (manifest.therapist, header.candidate.therapist),
        "method": (manifest.method, submission.method),
        "protocol": (manifest.protocol, header.protocol.name),
        "fingerprint": (manifest.fingerprint, header.fingerprint),
        "card.modality": (manifest.card.modality, derived(header)["modality"]),
    }
    problems = [
        f"the manifest says {key} {mine!r}, the run {theirs!r}"
        for key, (mine, theirs) in said.items()
        if mine != theirs
    ]
    if submission.scripted and not manifest.card.templated:
        problems.append("a scripted therapist is not declared as templated")
    if submission.scripted and header.candidate.therapist != header.candidate.model:
        problems.append(f"a scripted therapist is handed in as {header.candidate.therapist!r}")
    problems += _unlike_its_kind(submission)
    names = (manifest.therapist, manifest.method, client_name(held.protocol))
    for session in submission.sessions:
        if (session.therapist, session.method, session.client) != names:
            problems.append(f"{session.scenario_id} was held by {session.therapist} and {session.client}")
    return judged("identity", problems, f"everything is of {manifest.therapist} {manifest.method}".strip())


def _unlike_its_kind(submission: Submission) -> list[str]:
    """Returns what `run.json` says of the candidate that no run of it could have said."""
    said = submission.header.candidate
    if submission.header.imported:
        return []
    if submission.scripted:
        known = read_candidate(said.model).recorded()
    elif read_candidate(said.model, said.method).asks_engine:
        known = said.model_copy(update={"code": "", "sees": None})
    else:
        return []
    return [
        f"run.json says {key} {mine!r} of the candidate: of {said.model} it is {theirs!r}"
        for key in ("context_messages", "method_code", "code", "sees")
        if (mine := getattr(said, key)) != (theirs := getattr(known, key))
    ]
