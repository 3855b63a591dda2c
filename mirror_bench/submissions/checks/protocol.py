"""Checks that a run follows the published protocol: its parameters, data, content and code."""

from __future__ import annotations

from mirror_bench.data.base import DataSet
from mirror_bench.protocol import Fingerprint, Protocol
from mirror_bench.schema import digest
from mirror_bench.sessions.run_header import RunHeader
from mirror_bench.sessions.standing import protocol_fingerprint
from mirror_bench.submissions.findings import Check, judged
from mirror_bench.submissions.submission import Submission

_SEEDS = RunHeader.model_fields["seeds"].default


def check_protocol(submission: Submission, published: Protocol) -> Check:
    """The run's parameters are those of the published protocol."""
    mine, theirs = (
        protocol.model_dump(mode="json", exclude={"title"})
        for protocol in (submission.header.protocol, published)
    )
    problems = [
        f"{key}: published is {theirs[key]!r}, this run has {mine[key]!r}"
        for key in theirs
        if mine[key] != theirs[key]
    ]
    return judged(
        "protocol", problems, f"the published protocol {published.name}, version {published.version}"
    )


def checks_of_content(submission: Submission, published: Protocol, data: DataSet) -> list[Check]:
    """Returns what the run stands on against what this copy has: `data`, `content`, `code`, `fingerprint`."""
    mark = protocol_fingerprint(published, data)
    parts = submission.header.parts
    changed = Fingerprint(mark.value, {key: mark.parts[key] for key in mark.parts}).differences(parts)
    by_kind: dict[str, list[str]] = {"data": [], "content": [], "code": [], "fingerprint": []}
    for difference in changed:
        by_kind[_kind(difference.partition(" ")[0])].append(f"{difference}: this copy has another")
    if digest(dict(parts)) != submission.header.fingerprint:
        by_kind["fingerprint"].append("the fingerprint is not the digest of the parts in run.json")
    if submission.header.fingerprint != mark.value:
        by_kind["fingerprint"].append(
            f"the fingerprint is {submission.header.fingerprint[:12]}, that of the published protocol "
            f"{mark.value[:12]}"
        )
    files = sum(_kind(key) == "content" for key in mark.parts)
    code = ", ".join(f"{key[5:]} {value}" for key, value in mark.parts.items() if key.startswith("code."))
    passed = {
        "data": f"{data.name} has the digest {data.digest[:12]}",
        "content": f"{files} prompts, instruments and other files have the published digests",
        "code": f"versions {code}",
        "fingerprint": f"{mark.value[:12]} recomputed",
    }
    return [judged(name, by_kind[name], passed[name]) for name in by_kind]


def check_seeds(submission: Submission, published: Protocol) -> Check:
    """Seeds are derived as they must be: the scheme, the protocol's seeds, and none but those in sessions."""
    problems = []
    if submission.header.seeds != _SEEDS:
        problems.append(f"run.json derives seeds in another way: {submission.header.seeds}")
    for session in submission.sessions:
        pair = f"{session.profile_id}:{session.resistance}:{session.seed}"
        if session.seed not in published.seeds:
            problems.append(f"{session.scenario_id}: the seed {session.seed} is none of the protocol's")
        elif session.pair != pair or session.scenario_id != f"{pair}:{session.condition}":
            problems.append(f"{session.scenario_id}: is not the name of its profile, seed and condition")
    return judged("seeds", problems, f"seeds {', '.join(map(str, published.seeds))}, derived from names")


def _kind(part: str) -> str:
    first = part.partition(".")[0]
    if first in {"data", "code"}:
        return first
    return "fingerprint" if first in {"parameters", "models"} else "content"
