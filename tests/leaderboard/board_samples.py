"""Submissions for tests of the board: run folders of sample sessions, a hostile one, and a hundred."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import hostile
import report_samples as samples

from leaderboard.load_submissions import LoadedSubmission
from leaderboard.own_submissions import make_entries, read_entries
from mirror_bench.protocol import load_protocol
from mirror_bench.schema import FaceCondition, Rating, Session
from mirror_bench.sessions.run_header import RunHeader
from mirror_bench.submissions.manifest import Card, Manifest, SubmissionCoverage

FINGERPRINT = "ab" * 32
SEEN = (FaceCondition.MATCHED, FaceCondition.NONE)
PRINTABLE = tuple(text for text in hostile.ATTACKS if text.isprintable())


def card_of(name: str, **changed: object) -> Card:
    values: dict[str, object] = {
        "name": name,
        "authors": ("A. Author", "B. Author"),
        "licence": "Apache-2.0",
        "base_model": "some/base",
        "training_data": ("mirror",),
        "modality": "vision-language",
        "links": ("https://example.org/model",),
    }
    return Card.model_validate(values | changed)


def write_run(
    folder: Path,
    sessions: Sequence[Session],
    ratings: Sequence[Rating],
    card: Card | None = None,
    environment: Mapping[str, object] | None = None,
    fingerprint: str = FINGERPRINT,
) -> Path:
    """Writes a run folder as `mirror-bench run` would, with a manifest beside it where there is a card."""
    first = sessions[0]
    conditions = list(dict.fromkeys(session.condition.value for session in sessions))
    header = RunHeader(
        protocol=load_protocol("offline"),
        fingerprint=fingerprint,
        parts={},
        candidate={"therapist": first.therapist, "model": first.therapist, "method": first.method},
        selection={"conditions": conditions, "limit": None, "sessions": len(sessions)},
        environment=environment or {"started": "2026-01-02T03:04:05Z", "packages": {"mirror-bench": "0.1"}},
    )
    (folder / "faces").mkdir(parents=True)
    (folder / "run.json").write_text(header.model_dump_json(), encoding="utf-8")
    _lines(folder / "sessions.jsonl", sessions)
    _lines(folder / "ratings.jsonl", ratings)
    for sha256, png in samples.FACES.items():
        (folder / "faces" / f"{sha256}.png").write_bytes(png)
    if card:
        manifest = Manifest(
            card=card,
            therapist="someone",
            protocol="offline",
            fingerprint=fingerprint,
            coverage=SubmissionCoverage(
                profiles=8, profiles_published=8, due=8, failed=0, ratings_due=16, items_missing=0
            ),
            files={},
            packed_by="0.1",
        )
        (folder / "manifest.json").write_text(manifest.text(), encoding="utf-8")
    return folder


def write_samples(place: Path) -> Path:
    """Three models of unlike skill: one declared and seen under two face conditions, one with failures."""
    due = samples.scenarios(8, conditions=SEEN)
    held, rated = samples.run_of(due, "vllm/some/Able-7B", "p+ec", 0.8)
    card = card_of("Able", parameters_billions=7.0, description="Speaks little.")
    write_run(place / "able", held, rated, card)
    matched = samples.scenarios(8)
    held, rated = samples.run_of(matched, "vllm/some/Poor-1B", "direct", 0.2)
    held[2] = samples.failed(held[2])
    rated = [rating for rating in rated if rating.scenario_id != held[2].scenario_id]
    poor = card_of("Poor", parameters_billions=1.0, licence="proprietary", modality="text")
    write_run(place / "poor", held, rated, poor)
    held, rated = samples.run_of(matched, "scripted/reflective", "", 0.78)
    write_run(place / "reflective", held, rated)
    return place


def write_hostile(place: Path) -> Path:
    """Two models whose every free text attacks the page that shows it."""
    for number, name in enumerate(("one", "two")):
        sessions, ratings = _hostile_records(number)
        attacks = [PRINTABLE[(number + index) % len(PRINTABLE)] for index in range(len(PRINTABLE))]
        card = card_of(
            attacks[0],
            authors=tuple(PRINTABLE),
            licence=attacks[1],
            base_model=attacks[2],
            training_data=tuple(PRINTABLE),
            links=("https://example.org/?q=%22%3E&x=javascript:alert(1)",),
            description=" ".join(PRINTABLE),
        )
        environment = {"started": attacks[3], "packages": {attacks[4]: attacks[5]}}
        write_run(place / name, sessions, ratings, card, environment)
    return place


def _hostile_records(number: int) -> tuple[list[Session], list[Rating]]:
    sessions, ratings = [], []
    for index in range(len(hostile.ATTACKS)):
        session = hostile.hostile_session(index).model_copy(
            update={"therapist": hostile.attack(number), "method": hostile.attack(number + 3)}
        )
        session = session.model_copy(update={"pair": f"{hostile.attack(index)}{index}"})
        if index % 4 == 3:
            session = samples.failed(session, hostile.attack(index))
        sessions.append(session)
        rating = hostile.hostile_rating(session, index)
        ratings.append(rating)
        ratings.append(rating.model_copy(update={"rater": "coded"}))
    return sessions, ratings


def many(submission: LoadedSubmission, count: int) -> list[LoadedSubmission]:
    """Copies of a submission under other names, each a little better than the one before it."""
    made = []
    for number in range(count):
        name = f"vllm/some/Model-{number}"
        shift = 0.02 * number
        outcomes = tuple(
            replace(
                outcome,
                key=outcome.key._replace(therapist=name),
                session_key=outcome.session_key._replace(therapist=name),
                scores={metric: value + shift for metric, value in outcome.scores.items()},
            )
            for outcome in submission.outcomes.outcomes
        )
        entries = tuple(entry.model_copy(update={"therapist": name}) for entry in submission.summary.entries)
        made.append(
            replace(
                submission,
                slug=f"model-{number}",
                card=submission.card.model_copy(
                    update={"name": f"Model {number}", "parameters_billions": 1.0 + number}
                ),
                outcomes=submission.outcomes._replace(outcomes=outcomes),
                summary=submission.summary.model_copy(update={"entries": entries}),
            )
        )
    return made


def _lines(path: Path, records: Sequence[Session] | Sequence[Rating]) -> None:
    text = "".join(json.dumps(record.model_dump(mode="json")) + "\n" for record in records)
    path.write_text(text, encoding="utf-8", errors="surrogatepass")


def small_entry(place: Path) -> bytes:
    """Returns an entry of the scripted parrot with few sessions, held, packed and verified below `place`."""
    (place / "submissions").mkdir()
    made = make_entries(read_entries(), ["parrot"], place / "submissions", place, ["--limit", "1", "--quiet"])
    return made[0].read_bytes()
