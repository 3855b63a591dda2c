"""Checks of an imported run: what its scores come to. How its sessions were held nobody can tell."""

from __future__ import annotations

import hashlib

from pydantic import ValidationError

from mirror_bench.data.base import DataSet
from mirror_bench.data.sources.imported import PROFILES, SESSIONS
from mirror_bench.errors import InputError
from mirror_bench.schema import Profile, Scenario, digest
from mirror_bench.sessions.imported.runs import unpublished_import
from mirror_bench.submissions.checks.manifest import check_identity
from mirror_bench.submissions.checks.ratings import check_coded, check_evidence, check_ratings
from mirror_bench.submissions.checks.scores import check_coverage, check_scores
from mirror_bench.submissions.findings import Check, judged, skipped
from mirror_bench.submissions.submission import Held, Submission

_UNHELD = ("seeds", "turns", "client", "endings", "therapist", "faces", "probes")
"""What could only be checked by holding sessions again."""


def checks_of_import(submission: Submission) -> list[Check]:
    """Returns what every check that can be held says; those that would hold sessions again are skipped."""
    why = unpublished_import(submission.header)
    facts = submission.header.imported
    rated_as = facts.rated_as if facts else ""
    told = (
        "held elsewhere, so under no protocol; its raters and instruments are those of the published protocol"
    )
    checks = [judged("protocol", [why] if why else [], f"{told} {rated_as}")]
    if why:
        return checks
    data, problems = _people(submission)
    checks.append(
        judged("data", problems, f"{len(data.profiles)} people and all sessions have the digest in run.json")
    )
    parts = dict(submission.header.parts)
    own = (
        []
        if digest(parts) == submission.header.fingerprint
        else ["it is not the digest of the parts in run.json"]
    )
    checks.append(
        judged("fingerprint", own, "the digest of what the ratings stand on, of people and of sessions")
    )
    people = {profile.id: profile for profile in data.profiles}
    lacking = [session.scenario_id for session in submission.sessions if session.profile_id not in people]
    due = tuple(
        Scenario(
            profile=people[session.profile_id],
            resistance=session.resistance,
            seed=session.seed,
            condition=session.condition,
        )
        for session in submission.sessions
        if session.profile_id in people
    )
    names = [scenario.id for scenario in due]
    wrong = [f"{id}: its client is not among the people" for id in lacking]
    wrong += [f"{name} stands twice" for name in sorted({name for name in names if names.count(name) > 1})]
    checks.append(judged("scenarios", wrong, f"{len(due)} sessions, each of a client who is there"))
    if wrong:
        return checks
    held = Held(submission, submission.header.protocol, data, due)
    for check in (check_identity, check_ratings, check_coded, check_evidence, check_scores, check_coverage):
        try:
            made = check(held)
        except (InputError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            made = judged(check.__name__.removeprefix("check_"), [str(error)], "")
        checks += made if isinstance(made, list) else [made]
    return checks + [
        skipped(name, "the sessions were held elsewhere: nothing of them can be replayed") for name in _UNHELD
    ]


def _people(submission: Submission) -> tuple[DataSet, list[str]]:
    content = submission.members.get(PROFILES, b"")
    profiles: list[Profile] = []
    problems: list[str] = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            profiles.append(Profile.model_validate_json(line))
        except ValidationError as error:
            problems.append(f"{PROFILES}:{number}: is no profile ({error.errors()[0]['msg']})")
    made = hashlib.sha256(content + submission.members[SESSIONS]).hexdigest()
    if made != submission.header.parts.get("data"):
        problems.append("people and sessions have another digest than run.json says")
    return DataSet("imported", tuple(profiles)), problems
