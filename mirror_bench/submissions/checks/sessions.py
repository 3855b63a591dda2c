"""Checks of sessions as records: each scenario once, and every turn in the shape of a held one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mirror_bench.schema import Ending, Scenario, Session, Speaker, Turn
from mirror_bench.sessions.session import MAX_WORDS
from mirror_bench.submissions.findings import Check, judged
from mirror_bench.submissions.submission import Held
from mirror_bench.therapists.methods import METHODS, PLAN_CHARACTERS
from mirror_bench.therapists.reply_cleaning import clean_reply

_CLIENTS_OWN: tuple[str, ...] = ("direction", "expression", "face", "shown", "state", "marks")
_THERAPISTS_OWN: tuple[str, ...] = ("caption",)


def check_scenarios(held: Held) -> Check:
    """Every scenario of the selection stands once, in order, under its own name and fields."""
    sessions, due = held.submission.sessions, held.due
    counts = Counter(session.scenario_id for session in sessions)
    problems = [f"{scenario.id} is missing" for scenario in due if scenario.id not in counts]
    problems += [f"{name} stands {count} times" for name, count in counts.items() if count > 1]
    scenarios = {scenario.id: scenario for scenario in due}
    for session in sessions:
        if (scenario := scenarios.get(session.scenario_id)) is None:
            problems.append(f"{session.scenario_id} is no scenario of this selection")
        else:
            problems += _misnamed(scenario, session)
    if not problems and [session.scenario_id for session in sessions] != [scenario.id for scenario in due]:
        problems.append("sessions do not stand in the order of the scenarios")
    extra = sum(scenario.only_safety for scenario in due)
    selection = held.submission.header.selection
    if (selection.sessions, selection.only_safety) != (len(due), extra):
        problems.append(f"run.json promises another number of sessions than the {len(due)} of its selection")
    return judged("scenarios", problems, f"{len(due)} scenarios, each once, {extra} of them for safety alone")


def _misnamed(scenario: Scenario, session: Session) -> Iterator[str]:
    expected = {
        "pair": scenario.pair,
        "profile_id": scenario.profile.id,
        "resistance": scenario.resistance,
        "condition": scenario.condition,
        "seed": scenario.seed,
        "only_safety": scenario.only_safety,
    }
    for field, value in expected.items():
        if getattr(session, field) != value:
            yield f"{scenario.id}: {field} is {getattr(session, field)!r}, not {value!r}"


def check_turns(held: Held) -> Check:
    """Turns alternate, keep their bounds, hold only what their speaker has, and are cleaned as due."""
    problems = [problem for scenario, session in held.pairs for problem in _unsound(held, scenario, session)]
    for session in held.submission.sessions:
        if session.ended is Ending.FAILED and (session.turns or not session.reason):
            problems.append(f"{session.scenario_id}: a failed session has a reason and no turns")
    turns = sum(len(session.turns) for _, session in held.pairs)
    return judged("turns", problems, f"{turns} turns alternate, within their bounds")


def _unsound(held: Held, scenario: Scenario, session: Session) -> Iterator[str]:
    where, turns, most = session.scenario_id, session.turns, held.protocol.max_client_turns
    speakers = [Speaker.CLIENT, Speaker.THERAPIST]
    if len(turns) % 2 == 0 or any(turn.speaker is not speakers[n % 2] for n, turn in enumerate(turns)):
        yield f"{where}: turns do not go from client to therapist and end with the client"
        return
    spoken = (len(turns) + 1) // 2
    if spoken > most or (session.ended is Ending.TURN_LIMIT) > (spoken == most):
        yield f"{where}: {spoken} client turns do not fit the ending {session.ended} and the limit {most}"
    plans = _does(held, "plans") if _prompted(held) else True
    if not plans and (session.plan or session.technique):
        yield f"{where}: the method writes no plan"
    if len(session.plan) > PLAN_CHARACTERS:
        yield f"{where}: the plan has more than {PLAN_CHARACTERS} characters"
    for number, turn in enumerate(turns):
        others = _THERAPISTS_OWN if turn.speaker is Speaker.CLIENT else _CLIENTS_OWN
        if turn.speaker is Speaker.CLIENT and not held.protocol.client.model:
            others += ("raw", "removed", "finish")
        if foreign := [field for field in others if getattr(turn, field)]:
            yield f"{where}: turn {number} of the {turn.speaker} holds {', '.join(foreign)}"
        if max(len(turn.words), len(turn.raw), len(turn.direction)) > MAX_WORDS or turn.tokens < 0:
            yield f"{where}: turn {number} is out of bounds"
        if turn.speaker is Speaker.THERAPIST:
            yield from (f"{where}: turn {number}: {problem}" for problem in _uncleaned(held, scenario, turn))


def _uncleaned(held: Held, scenario: Scenario, turn: Turn) -> Iterator[str]:
    if not _prompted(held):
        if turn.raw or turn.removed or turn.caption or turn.tokens or turn.finish:
            yield "a scripted therapist has no raw answer, caption or tokens"
        return
    if turn.caption and not _does(held, "captions"):
        yield "the method writes no captions"
    if len(turn.raw) == MAX_WORDS:
        return  # was cut for the record, so that what was cleaned is not all there
    words, removed = clean_reply(turn.raw or turn.words, scenario.profile.name, cut=turn.finish == "length")
    if words != turn.words:
        yield "the words are not what is left of the model's answer"
    elif turn.raw and removed != turn.removed:
        yield f"to be removed were: {', '.join(removed) or 'nothing'}; not: {', '.join(turn.removed)}"


def _does(held: Held, what: str) -> bool:
    """Whether the candidate's method plans or captions; code of the authors' own has no method."""
    method = held.submission.method
    return bool(method and getattr(METHODS.get(method), what, False))


def _prompted(held: Held) -> bool:
    return not held.submission.scripted
