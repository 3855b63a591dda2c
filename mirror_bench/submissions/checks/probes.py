"""Checks of probes: each that is due stands once, and what follows from its words is derived anew."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict

from mirror_bench.coding.face_remarks import reads_face, remarks_on_face
from mirror_bench.faces.conditions import expression_at_turn
from mirror_bench.schema import Expression, FaceCondition, Scenario, Session
from mirror_bench.sessions.candidate import open_therapist, read_candidate
from mirror_bench.sessions.counterfactual_turns import Probe, ReopenedTherapist, probe_turn, probes_due
from mirror_bench.sessions.offline_sessions import UndrawnFaces
from mirror_bench.sessions.session import FacePresenter
from mirror_bench.submissions.findings import Check, judged, skipped
from mirror_bench.submissions.submission import Held

_Key = tuple[str, int, FaceCondition]


def check_probes(held: Held) -> Check:
    """Turns that were asked for again are those that the seed draws; a scripted therapist is asked again."""
    probes = held.submission.probes
    if not probes:
        return skipped("probes", "no turn was asked for again with another face")
    counts: Counter[_Key] = Counter((probe.scenario_id, probe.turn, probe.shown) for probe in probes)
    problems = [f"{_named(key)} stands {count} times" for key, count in counts.items() if count > 1]
    due = _due(held, probes)
    problems += [f"{_named(key)} is missing" for key in sorted(due.keys() - counts.keys())]
    for probe in probes:
        key = (probe.scenario_id, probe.turn, probe.shown)
        if key not in due:
            problems.append(f"{_named(key)} was not to be made")
            continue
        scenario, session = due[key]
        if differing := _differing(probe, derive_probe(held, probe, scenario, session)):
            problems.append(f"{_named(key)}: another {differing} than made anew")
    order = list(counts)
    if not problems and order != sorted(order):
        problems.append("probes do not stand in their order")
    return judged("probes", problems, f"{len(probes)} probes, each once, what follows from them made anew")


def _due(held: Held, probes: tuple[Probe, ...]) -> dict[_Key, tuple[Scenario, Session]]:
    """What is due where as many turns of each session were asked for as of the one most asked."""
    turns: dict[str, set[int]] = defaultdict(set)
    for probe in probes:
        turns[probe.scenario_id].add(probe.turn)
    scenarios = {scenario.id: scenario for scenario in held.due if not scenario.only_safety}
    conditions = held.submission.header.selection.conditions
    most = max(map(len, turns.values()))
    sessions = [session for _, session in held.pairs]
    return {
        (one.session.scenario_id, one.turn, one.shown): (one.scenario, one.session)
        for one in probes_due(sessions, scenarios, conditions, most)
    }


def derive_probe(held: Held, probe: Probe, scenario: Scenario, session: Session) -> Probe:
    """Returns a probe as it must be: of a scripted therapist made again, else what its words make of it."""
    if held.submission.scripted:
        candidate = read_candidate(held.submission.header.candidate.model)

        def opening(scenario: Scenario) -> ReopenedTherapist:
            return ReopenedTherapist(
                open_therapist(candidate, scenario, None, held.protocol.therapist), lambda: None
            )

        return asyncio.run(
            probe_turn(session, scenario, probe.turn, probe.shown, opening, FacePresenter(UndrawnFaces()))
        )
    expression = _shown(held, probe, scenario, session)
    words = "" if probe.lost else probe.words
    held_words = session.turns[probe.turn + 1].words
    return Probe(
        scenario_id=session.scenario_id,
        pair=session.pair,
        profile_id=session.profile_id,
        therapist=session.therapist,
        method=session.method,
        turn=probe.turn,
        shown=probe.shown,
        label=expression.label if expression is not None and not probe.lost else "",
        held=held_words,
        words=words,
        remarked=not probe.lost and bool(remarks_on_face(held_words)),
        remarks=not probe.lost and bool(remarks_on_face(words)),
        read=None if probe.lost else reads_face(words, expression),
        lost=probe.lost,
    )


def _shown(held: Held, probe: Probe, scenario: Scenario, session: Session) -> Expression | None:
    true = session.turns[probe.turn].expression
    if not held.submission.sees or true is None:
        return None
    return expression_at_turn(probe.shown, true, scenario.pair, probe.turn // 2)


def _differing(probe: Probe, anew: Probe) -> str:
    return next((name for name in Probe.model_fields if getattr(probe, name) != getattr(anew, name)), "")


def _named(key: _Key) -> str:
    return f"{key[0]}: turn {key[1]} with {key[2]}"
