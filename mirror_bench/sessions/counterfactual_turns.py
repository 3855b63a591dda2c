"""Asks the therapist again for single turns of held sessions, with another face and the same history.

In sessions, histories diverge with the first word that a face changes. A probe keeps the history as held:
the therapist hears the client's words and sees the client's own face up to the turn before, says what it said
then (its answers are remembered), and is shown another face at that one turn. What it says other than before
is due to that face alone, but for noise; noise is measured by asking the same question once more, past the
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from mirror_bench.coding import face_remarks, therapist_behaviour
from mirror_bench.coding.face_remarks import reads_face, remarks_on_face
from mirror_bench.engines.base import Answer, Engine, EngineWrapper, Request
from mirror_bench.errors import EngineError
from mirror_bench.faces.base import Face
from mirror_bench.parts import StandsOn
from mirror_bench.schema import Ending, FaceCondition, Record, Scenario, Session, Speaker, derive_seed
from mirror_bench.sessions.batch import bounded
from mirror_bench.sessions.session import MAX_WORDS, FacePresenter
from mirror_bench.therapists.base import Therapist

VERSION = "1"
"""Raised with every change of which turns are asked again and how; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides what a turn asked again shows: how remarks about a face are found and judged."""
    return (
        StandsOn.of("sessions.counterfactual_turns", VERSION)
        | face_remarks.stands_on()
        | therapist_behaviour.stands_on()
    )


AGAIN = 101
"""Number of the attempt under which a question is asked again: no retry reaches it."""


class Probe(Record):
    """The answer to one turn of a held session, asked for again while another face was shown.

    Attributes:
        turn: Index in the session's turns of the client's turn that is answered.
        shown: The face condition of this turn; `matched` is the client's own face once more: the noise.
        label: Of the expression shown; empty where no face was.
        held: What the therapist said in the session; `words` what it says now.
        remarked: Whether what was held remarks on the face; `remarks` whether `words` do.
        read: Whether the remark in `words` fits the face shown; None without a remark or a face.
        lost: Whether the history could not be had again, so that nothing was asked.
    """

    scenario_id: str
    pair: str
    profile_id: str
    therapist: str
    method: str = ""
    turn: int
    shown: FaceCondition
    label: str = ""
    held: str
    words: str = ""
    remarked: bool = False
    remarks: bool = False
    read: bool | None = None
    lost: bool = False

    @property
    def changed(self) -> bool:
        """Whether the words differ, but for spaces."""
        return self.words.split() != self.held.split()


class UnrememberedEngine(EngineWrapper):
    """An engine that, once told so, asks questions anew that were answered before."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.anew = False

    def ask_anew(self) -> None:
        """Asks anew from here on."""
        self.anew = True

    async def answer(self, request: Request) -> Answer:
        """Asks, under another attempt where told so: the same question and seed, past the memory."""
        return await self.engine.answer(replace(request, attempt=AGAIN) if self.anew else request)


class ReopenedTherapist(NamedTuple):
    """A therapist opened for a held session, and the function that makes it answer anew."""

    therapist: Therapist
    anew: Callable[[], None]


Opening = Callable[[Scenario], ReopenedTherapist]
"""Opens the candidate in one session."""


def probed_turns(session: Session, most: int) -> tuple[int, ...]:
    """Returns the indices of the client's turns to probe: at most `most`, by a seed of the session's own."""
    answered = [
        index
        for index, turn in enumerate(session.turns[:-1])
        if turn.speaker is Speaker.CLIENT and turn.expression is not None
    ]
    chosen = sorted(answered, key=lambda index: derive_seed(session.pair, "probe", index))[:most]
    return tuple(sorted(chosen))


def conditions_to_probe(conditions: Sequence[FaceCondition]) -> tuple[FaceCondition, ...]:
    """Returns the conditions of the probes of a run; none where it compares no face with the client's own."""
    if FaceCondition.MATCHED not in conditions or len(conditions) < 2:
        return ()
    return tuple(condition for condition in FaceCondition if condition in conditions)


async def probe_turn(
    session: Session,
    scenario: Scenario,
    turn: int,
    shown: FaceCondition,
    opening: Opening,
    stage: FacePresenter,
) -> Probe:
    """Returns the therapist's answer to one turn of a held session, asked for again with another face.

    Args:
        session: Held with the client's own faces.
        scenario: Its scenario.
        turn: Index of the client's turn to answer.
        shown: The face condition of that turn.
        opening: Opens the therapist, over the engines that remember the session.
        stage: Shows faces.

    Raises:
        EngineError: If an engine could not answer.
    """
    therapist, anew = opening(scenario)
    for index in _client_turns(session, turn):
        face = await _face(stage, scenario, session, index, therapist)
        said = await therapist.reply(session.turns[index].words, face)
        if said.words[:MAX_WORDS] != session.turns[index + 1].words:
            return _lost(session, turn, shown)
    if shown is FaceCondition.MATCHED:
        anew()
    face = await _face(stage, scenario.model_copy(update={"condition": shown}), session, turn, therapist)
    reply = await therapist.reply(session.turns[turn].words, face)
    words = reply.words[:MAX_WORDS]
    empty = _lost(session, turn, shown)
    return empty.model_copy(
        update={
            "label": face.expression.label if face else "",
            "words": words,
            "remarked": bool(remarks_on_face(empty.held)),
            "remarks": bool(remarks_on_face(words)),
            "read": reads_face(words, face.expression if face else None),
            "lost": False,
        }
    )


class ProbeDue(NamedTuple):
    """A turn of a held session that is still to be asked for again; see `probe_turn`."""

    session: Session
    scenario: Scenario
    turn: int
    shown: FaceCondition


def probes_due(
    sessions: Iterable[Session],
    scenarios: Mapping[str, Scenario],
    conditions: Sequence[FaceCondition],
    most: int,
    made: Collection[tuple[str, int, FaceCondition]] = (),
) -> Iterator[ProbeDue]:
    """Yields the probes of a run: `most` turns of every session held with the own face, each condition once.

    Args:
        sessions: Of the run; only those held with the client's own face are probed.
        scenarios: Scenario id -> scenario.
        conditions: Those of the run.
        most: Turns per session.
        made: Scenario id, turn and condition of probes made before.
    """
    wanted = conditions_to_probe(conditions)
    for session in sessions:
        if session.condition is not FaceCondition.MATCHED or session.ended is Ending.FAILED:
            continue
        for turn in probed_turns(session, most):
            for shown in wanted:
                if (session.scenario_id, turn, shown) not in made and session.scenario_id in scenarios:
                    yield ProbeDue(session, scenarios[session.scenario_id], turn, shown)


async def run_probes(
    due: Iterable[ProbeDue],
    opening: Opening,
    stage: FacePresenter,
    keep: Callable[[Probe], None],
    *,
    concurrency: int,
) -> None:
    """Makes every probe that is due and keeps it; one whose engine failed is kept as lost.

    Raises:
        EngineDeadError: If an engine stopped for good.
    """

    async def one(due: ProbeDue) -> None:
        try:
            keep(await probe_turn(*due, opening, stage))
        except EngineError:  # an EngineDeadError is none, and ends the run
            keep(_lost(due.session, due.turn, due.shown))

    await bounded(due, one, concurrency)


def _lost(session: Session, turn: int, shown: FaceCondition) -> Probe:
    return Probe(
        scenario_id=session.scenario_id,
        pair=session.pair,
        profile_id=session.profile_id,
        therapist=session.therapist,
        method=session.method,
        turn=turn,
        shown=shown,
        held=session.turns[turn + 1].words,
        lost=True,
    )


def _client_turns(session: Session, before: int) -> Iterator[int]:
    return (index for index in range(before) if session.turns[index].speaker is Speaker.CLIENT)


async def _face(
    stage: FacePresenter, scenario: Scenario, session: Session, index: int, therapist: Therapist
) -> Face | None:
    expression = session.turns[index].expression
    if not therapist.sees or expression is None:
        return None
    return await stage.face(scenario, index // 2, expression)
