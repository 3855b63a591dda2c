"""A submission taken apart, and a forger who covers the tracks as far as our own code allows.

Whatever is changed, the digests in the manifest are made to fit. Where sessions are changed, ratings, summary
and coverage are made anew from them as well, so that nothing but the session itself can give the forger away.
The ways to tamper stand, by what is changed, in three modules `tampered_*.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.schema import Rating, Session, canonical_json
from mirror_bench.sessions.counterfactual_turns import Probe
from mirror_bench.sessions.run_header import RunHeader
from mirror_bench.submissions.archive import MANIFEST
from mirror_bench.submissions.pack import files_of
from mirror_bench.submissions.recompute import coverage_of, scenarios_due, summary_of

Json = dict[str, Any]


@dataclass
class Parts:
    """A submission taken apart, to be changed in place."""

    manifest: Json
    header: Json
    summary: Json
    sessions: list[Json]
    ratings: list[Json]
    probes: list[Json]
    others: dict[str, bytes] = field(default_factory=dict)
    fits: bool = True

    @classmethod
    def of(cls, members: Mapping[str, bytes]) -> Parts:
        others = {name: content for name, content in members.items() if name.startswith("faces/")}
        log = {
            name: [json.loads(line) for line in members[f"{name}.jsonl"].splitlines()]
            for name in ("sessions", "ratings", "probes")
        }
        manifest, header, summary = (
            json.loads(members[name]) for name in (MANIFEST, "run.json", "summary.json")
        )
        return cls(manifest, header, summary, log["sessions"], log["ratings"], log["probes"], others)

    def members(self) -> dict[str, bytes]:
        found = {
            "run.json": _pretty(self.header),
            "summary.json": _pretty(self.summary),
            "sessions.jsonl": _lines(self.sessions),
            "ratings.jsonl": _lines(self.ratings),
            "probes.jsonl": _lines(self.probes),
            **self.others,
        }
        if self.fits:
            self.manifest["files"] = {name: one.model_dump() for name, one in files_of(found).items()}
        return {MANIFEST: _pretty(self.manifest), **found}


def _pretty(value: Json) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _lines(values: Sequence[Json]) -> bytes:
    return "".join(f"{canonical_json(value)}\n" for value in values).encode()


Change = Callable[[Parts, Random], None]


class Tampering(NamedTuple):
    """One way to tamper.

    Attributes:
        check: Which check must find it, whatever others do.
        covers: What the forger makes anew: "ratings" (and all that follows), "summary", or nothing.
        kind: "scripted" or "model" where it makes sense for one kind of candidate alone.
    """

    name: str
    check: str
    covers: str
    kind: str
    change: Change


TAMPERINGS: list[Tampering] = []
"""All ways, once the modules that hold them are imported."""


def tampering(check: str, covers: str = "", kind: str = "") -> Callable[[Change], Change]:
    def add(change: Change) -> Change:
        TAMPERINGS.append(Tampering(change.__name__.replace("_", " "), check, covers, kind, change))
        return change

    return add


STATED = ("instrument_digest", "rater_edition")
"""What a run states of a rating that its rater does not."""


def cover(parts: Parts, covers: str) -> None:
    """Makes ratings, summary and coverage fit the sessions, as an honest run of them would."""
    if not covers:
        return
    header = RunHeader.model_validate(parts.header)
    data = load_data(header.protocol.data)
    profiles = {profile.id: profile for profile in data.profiles}
    sessions = [Session.model_validate(value) for value in parts.sessions]
    parts.sessions = [json.loads(session.line()) for session in sessions]
    if covers == "ratings":
        by_id = {session.scenario_id: session for session in sessions}
        for place, value in enumerate(parts.ratings):
            session = by_id.get(value["scenario_id"])
            if value["rater"] == "coded" and session is not None:
                made = CodedRater().rate(
                    session, profiles[session.profile_id], load_instrument(value["instrument"])
                )
                stated = {name: value[name] for name in STATED if name in value}
                parts.ratings[place] = json.loads(asyncio.run(made).line()) | stated
    ratings = [Rating.model_validate(value) for value in parts.ratings]
    parts.ratings = [json.loads(rating.line()) for rating in ratings]
    probes = [Probe.model_validate(value) for value in parts.probes]
    due = scenarios_due(header, data)
    coverage = coverage_of(header, data, sessions, ratings, due)
    try:
        summary = summary_of(header, sessions, ratings, probes, due)
    except (InputError, KeyError):
        return  # what was made cannot be scored: the forger leaves the old figures
    parts.manifest["coverage"] = coverage.model_dump()
    parts.summary = summary.model_dump(mode="json")
