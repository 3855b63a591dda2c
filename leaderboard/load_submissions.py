"""Reads submissions: who made the model, what was run, and every session's outcome."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from leaderboard.cache import BoardCache, digest_of, find_submissions
from mirror_bench.analysis.display_names import candidate_label, short
from mirror_bench.analysis.run_summary import gather_run, summarize_run
from mirror_bench.analysis.session_outcomes import SessionOutcome, SessionOutcomes, session_outcome
from mirror_bench.analysis.summary import Summary
from mirror_bench.errors import InputError
from mirror_bench.processors import cores
from mirror_bench.protocol import load_protocol, protocol_names
from mirror_bench.sessions.imported.runs import unpublished_import
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import RunHeader, read_header
from mirror_bench.submissions.archive import MANIFEST, read_archive
from mirror_bench.submissions.findings import Verdict
from mirror_bench.submissions.manifest import Card, Manifest
from mirror_bench.submissions.verify import verify_file

UNKNOWN = "not declared"
_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class LoadedSubmission:
    """One accepted submission, verified and read.

    Attributes:
        slug: Its name in addresses and file names: lower-case letters, digits and hyphens.
        source: The file or folder that it came from.
        folder: Where its records lie, for as long as the board is made.
        card: What the authors declare; filled with `UNKNOWN` where they declared nothing.
        manifest: The whole declaration; None for a plain run folder.
        beside: Sessions that enter no score: those held for safety alone.
        verdict: What `mirror-bench verify` says of it; None where it was not asked, and for folders.
        digest: SHA-256 of all that was handed in.
    """

    slug: str
    source: Path
    folder: Path
    card: Card
    manifest: Manifest | None
    header: RunHeader
    outcomes: SessionOutcomes
    summary: Summary
    beside: tuple[SessionOutcome, ...] = ()
    verdict: Verdict | None = None
    digest: str = ""

    @property
    def sessions(self) -> tuple[SessionOutcome, ...]:
        """Every session that was handed in."""
        return self.outcomes.outcomes + self.beside

    @property
    def method(self) -> str:
        """How the model was prompted; empty for scripted therapists."""
        return self.header.candidate.method


def read_submissions(
    place: Path,
    open_while: ExitStack,
    verify: bool = True,
    told: Callable[[str], None] = lambda line: None,
    cache: BoardCache | None = None,
) -> list[LoadedSubmission]:
    """Returns every submission in a folder, in the order of their file names.

    Scores are computed anew from sessions and ratings; a summary that was handed in is not read.

    Args:
        place: Holds run folders and files made by `mirror-bench pack`.
        open_while: Unpacked files are kept until it closes.
        verify: Whether packed files are recomputed too.
        told: Called with a line for each submission before it is read, which may take a minute.
        cache: Remembers what `verify` said of submissions that have not changed.

    Raises:
        InputError: If the folder is missing or empty, or a submission cannot be read.
    """
    paths = find_submissions(place)
    taken: set[str] = set()
    submissions = []
    for number, path in enumerate(paths, 1):
        asked = verify and path.is_file()
        digest = digest_of(path)
        verdict = cache.verdict(digest) if cache and asked else None
        anew = asked and verdict is None
        told(f"{number}/{len(paths)} {'reading and verifying' if anew else 'reading'} {path.name}")
        submission = _read(path, open_while, taken)
        if anew:
            verdict = verify_file(path, workers=cores())
            if cache:
                cache.keep_verdict(digest, verdict)
        submissions.append(replace(submission, verdict=verdict, digest=digest))
    refuse_doubles(submissions)
    return submissions


def slug_of(name: str, taken: set[str]) -> str:
    """Returns a name for addresses that is not taken yet, and takes it."""
    base = _NOT_IN_SLUGS.sub("-", name.lower()).strip("-")[:60].strip("-") or "model"
    slug, number = base, 2
    while slug in taken:
        slug, number = f"{base}-{number}", number + 1
    taken.add(slug)
    return slug


def refuse_doubles(submissions: Iterable[LoadedSubmission]) -> None:
    """Refuses two submissions of one candidate under one protocol.

    Raises:
        InputError: Naming both files.
    """
    seen: dict[Sequence[str], Path] = {}
    for submission in submissions:
        candidate = submission.header.candidate
        key = (submission.header.fingerprint, candidate.therapist, candidate.method)
        if key in seen:
            raise InputError(
                f"{submission.source}: is the candidate of {seen[key].name} again: keep one of the two"
            )
        seen[key] = submission.source


def _read(path: Path, open_while: ExitStack, taken: set[str]) -> LoadedSubmission:
    folder = path
    if path.is_file():
        folder = Path(open_while.enter_context(TemporaryDirectory(prefix="mirror-board-")))
        _unpack(path, folder)
        _refuse_unpublished(path, read_header(folder))
    header = read_header(folder)
    manifest = _manifest(folder, path)
    shown = manifest.card if manifest else _undeclared(header)
    summary = summarize_run(folder)
    if not summary.entries:
        raise InputError(f"{path}: holds no session: finish the run before it is handed in")
    outcomes = gather_run(folder)
    scored = {outcome.session_key for outcome in outcomes.outcomes}
    beside = {
        session.key: session_outcome(session)
        for session in read_sessions(folder)
        if session.key not in scored
    }
    return LoadedSubmission(
        slug=slug_of(f"{shown.name} {header.candidate.method}", taken),
        source=path,
        folder=folder,
        card=shown,
        manifest=manifest,
        header=header,
        outcomes=outcomes,
        summary=summary,
        beside=tuple(beside.values()),
    )


def _unpack(path: Path, folder: Path) -> None:
    held = read_archive(path)
    if held.problems:
        raise InputError(f"{path}: {held.problems[0]}: make it anew with mirror-bench pack")
    (folder / "faces").mkdir()
    for name, content in held.members.items():  # names are known ones alone: the archive's reader sees to it
        (folder / name).write_bytes(content)


def _refuse_unpublished(path: Path, header: RunHeader) -> None:
    """Keeps a stranger's names from opening data or face sources: only published protocols are read."""
    if header.imported is not None:
        if why := unpublished_import(header):
            raise InputError(f"{path}: {why}")
        return
    name = header.protocol.name
    if name not in protocol_names() or header.protocol != load_protocol(name):
        raise InputError(
            f"{path}: its protocol {name!r} is none of the published ones ({', '.join(protocol_names())}) "
            "as they stand: hold the run under one of them"
        )


def _manifest(folder: Path, path: Path) -> Manifest | None:
    declared = folder / MANIFEST
    if not declared.is_file():
        return None
    try:
        return Manifest.model_validate_json(declared.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "its start"
        raise InputError(
            f"{path}: {MANIFEST}, {where}: {first['msg']}: pack it anew with mirror-bench pack"
        ) from None


def _undeclared(header: RunHeader) -> Card:
    """What a run folder tells by itself."""
    candidate = header.candidate
    return Card(
        name=short(candidate_label(candidate.therapist, longest=60), 60) or "unnamed",
        authors=(UNKNOWN,),
        licence=UNKNOWN,
        base_model=UNKNOWN,
        training_data=(UNKNOWN,),
        modality="text" if candidate.method == "text" else "vision-language",
        templated=candidate.model.startswith("scripted/"),
    )
