"""Verifies a submission: recomputes everything that can be recomputed without the candidate's model.

What no check can tell: whether a model really said a therapist's words. Whoever invents words, and then holds
and rates the sessions honestly, hands in a sound run of another therapist.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.processors import spread
from mirror_bench.protocol import Protocol, load_protocol, protocol_names
from mirror_bench.submissions.archive import MANIFEST, read_archive
from mirror_bench.submissions.checks.copies import check_contamination, check_duplicates, check_templates
from mirror_bench.submissions.checks.faces import check_faces
from mirror_bench.submissions.checks.imported import checks_of_import
from mirror_bench.submissions.checks.manifest import check_files, check_identity
from mirror_bench.submissions.checks.probes import check_probes
from mirror_bench.submissions.checks.protocol import check_protocol, check_seeds, checks_of_content
from mirror_bench.submissions.checks.ratings import (
    check_coded,
    check_evidence,
    check_licence,
    check_ratings,
    other_ratings,
    recodings,
)
from mirror_bench.submissions.checks.replay import check_therapist, checks_of_client
from mirror_bench.submissions.checks.scores import check_coverage, check_scores
from mirror_bench.submissions.checks.sessions import check_scenarios, check_turns
from mirror_bench.submissions.findings import Check, Verdict, judged, plain, skipped
from mirror_bench.submissions.manifest import Manifest
from mirror_bench.submissions.recompute import scenarios_due
from mirror_bench.submissions.submission import Held, Submission, read_manifest, read_submission

_HELD: Mapping[tuple[str, ...], Callable[[Held], Check | list[Check]]] = {
    ("identity",): check_identity,
    ("scenarios",): check_scenarios,
    ("turns",): check_turns,
    ("client", "endings"): checks_of_client,
    ("therapist",): check_therapist,
    ("faces",): check_faces,
    ("probes",): check_probes,
    ("ratings",): check_ratings,
    ("coded",): check_coded,
    ("licence",): check_licence,
    ("evidence",): check_evidence,
    ("scores",): check_scores,
    ("coverage",): check_coverage,
    ("duplicates",): check_duplicates,
    ("templates",): check_templates,
    ("contamination",): check_contamination,
}
_CONTENT = ("data", "content", "code", "fingerprint", "seeds")
CHECKS = (
    "archive",
    "manifest",
    "records",
    "files",
    "protocol",
    *_CONTENT,
    *(name for names in _HELD for name in names),
)
"""Every check, in the order in which they are held."""


def verify_file(path: Path, protocol: str = "", workers: int = 1) -> Verdict:
    """Returns the verdict on a submission file: every check, passed or not.

    Args:
        path: A submission as `pack` writes it; nothing in it is trusted.
        protocol: The published protocol, by name or as a YAML file; where empty, the packaged one that the
            submission names.
        workers: Processes in which sessions are coded anew while this one holds the other checks; with more
            than 1, a script that calls this must be guarded by `if __name__ == "__main__"`.

    Raises:
        InputError: If the file cannot be read or is no zip, or there is no such protocol.
    """
    published = load_protocol(protocol) if protocol else None
    opened = read_archive(path)
    checks = [judged("archive", opened.problems, f"{len(opened.members)} plain files, safe to unpack")]
    manifest = None
    if opened.members:
        manifest = read_manifest(opened.members[MANIFEST])
        checks += _checks(opened.members, manifest, published, workers)
    held = {check.name for check in checks}
    first = next((check.name for check in checks if check.status == "failed"), "")
    why = f"not looked at, since {first} failed" if first else "asked of sessions that were held here alone"
    checks += [skipped(name, why) for name in CHECKS if name not in held]
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    model = manifest.card.name if isinstance(manifest, Manifest) else ""
    return Verdict(file=path.name, sha256=sha256, model=model, checks=tuple(checks))


def _checks(
    members: Mapping[str, bytes], manifest: Manifest | str, published: Protocol | None, workers: int
) -> list[Check]:
    if isinstance(manifest, str):
        return [judged("manifest", [manifest], "")]
    card = manifest.card
    checks = [judged("manifest", [], f"{card.name} by {', '.join(card.authors)}, {card.licence}")]
    submission = read_submission(members, manifest)
    if not isinstance(submission, Submission):
        return [*checks, judged("records", submission, "")]
    records = f"{len(submission.sessions)} sessions, {len(submission.ratings)} ratings"
    checks += [judged("records", [], records), check_files(submission)]
    if submission.header.imported is not None:
        return checks + checks_of_import(submission)
    name = submission.header.protocol.name
    if published is None:
        if name not in protocol_names():
            why = (
                f"no published protocol is named {name!r}: give it to mirror-bench verify as --protocol FILE"
            )
            return [*checks, judged("protocol", [why], "")]
        published = load_protocol(name)
    checks.append(check_protocol(submission, published))
    # Under other parameters nothing compares; and a stranger's names must not open data, faces or raters.
    return checks if checks[-1].status == "failed" else checks + _against(submission, published, workers)


def _against(submission: Submission, published: Protocol, workers: int) -> list[Check]:
    data = load_data(published.data)
    checks = _safely(
        _CONTENT,
        lambda: [*checks_of_content(submission, published, data), check_seeds(submission, published)],
    )
    try:
        due = scenarios_due(submission.header, data)
    except (InputError, TypeError) as error:
        return [*checks, judged("scenarios", [f"run.json selects no scenarios: {error}"], "")]
    held = Held(submission, published, data, tuple(due))
    with spread(other_ratings, recodings(held), workers) as recoded:
        held = replace(held, recoded=recoded)
        # What other processes work at is waited for last, whatever its place.
        order = sorted(_HELD, key=lambda names: "coded" in names)
        found = {names: _safely(names, partial(_HELD[names], held)) for names in order}
    return checks + [check for names in _HELD for check in found[names]]


def _safely(names: tuple[str, ...], check: Callable[[], Check | list[Check]]) -> list[Check]:
    """Holds checks; values that none of them can work with fail them and stop no other."""
    try:
        found = check()
    except InputError as error:
        return [judged(name, [str(error)], "") for name in names]
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
        # Records are typed, but a stranger's values may still be none that a session can have.
        problem = plain(f"holds values that cannot be worked with ({type(error).__name__}: {error})")
        return [judged(name, [problem], "") for name in names]
    return found if isinstance(found, list) else [found]
