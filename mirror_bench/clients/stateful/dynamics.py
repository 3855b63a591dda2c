"""The stateful client's latent state, how each resistance type begins, and what moves it.

The directions of the moves follow the literature: teaching and confronting raise resistance, facilitating
lowers it (Patterson & Forgatch 1985); support alone stalls, and a challenge after a negative reaction can
serve the task (Magill et al. 2018). Their sizes are this benchmark's own: they were set so that scripted
therapists of known skill end apart (`tests/clients/test_dynamics.py`), and estimate no real client.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from mirror_bench.clients.stateful.perception import PerceivedTurn
from mirror_bench.clients.stateful.utterances import Band
from mirror_bench.coding.face_remarks import FaceRemark
from mirror_bench.coding.therapist_behaviour import Behaviour
from mirror_bench.schema import Resistance, Scenario, derive_seed

VERSION = "2"
"""Version of the dynamics, for the protocol's fingerprint: raised with every change that moves a state."""

_FASTEST = 0.10  # Resistance falls by at most this per turn: nobody turns over at one good sentence.
_NEAR_END = 0.30


@dataclass(frozen=True)
class State:
    """The client's latent state: alliance, resistance, distress and disclosure, each in [0, 1].

    Attributes:
        goal: Agreement on aims.
        approach: Agreement on how to work.
        bond: Trust and liking.
        resistance: How strongly the client resists.
        distress: How much it hurts, shown or not.
        disclosure: How near the client is to saying what it guards.
    """

    goal: float
    approach: float
    bond: float
    resistance: float
    distress: float
    disclosure: float

    def moved(self, moves: Mapping[str, float]) -> State:
        """Returns the state after moves, each value kept in [0, 1]."""
        return replace(
            self, **{name: min(1.0, max(0.0, getattr(self, name) + by)) for name, by in moves.items()}
        )

    def record(self) -> dict[str, float]:
        """Returns name -> value, rounded to 4 digits."""
        return {field.name: round(getattr(self, field.name), 4) for field in fields(self)}


@dataclass(frozen=True)
class Temper:
    """The constants of one resistance type: the state it begins with, and how far each event moves it.

    Attributes:
        start: Mean of the state at the opening.
        floor: What resistance warmth alone cannot go below.
        warm: Fall of resistance, and half the rise of bond, by a reflection that fits.
        seen: Fall of resistance where a masked moment is met.
        wrong: Rise of resistance where the face is misread.
        unmet: Rise of resistance per masked moment that passes unseen.
        teach: Rise by unasked information.
        push: Rise by unasked advice.
        confront: Rise by confrontation.
        early: Rise by a step proposed before the client is ready.
        ready: Highest resistance at which a proposed step is taken.
        bands: Resistance from which the client is guarded, and from which ambivalent.
        masks: Probability that a turn is masked, by band.
    """

    start: State
    floor: float
    warm: float
    seen: float
    wrong: float
    unmet: float
    teach: float
    push: float
    confront: float
    early: float
    ready: float
    bands: tuple[float, float]
    masks: Mapping[Band, float]


_MASKS = {Band.GUARDED: 0.40, Band.AMBIVALENT: 0.40, Band.OPENING: 0.16, Band.COMMITTED: 0.05}

TEMPERS: Mapping[Resistance, Temper] = {
    # Hides feelings: little reaction to facts, much to being seen and to being misread.
    Resistance.EMOTIONAL: Temper(
        start=State(0.30, 0.30, 0.34, 0.70, 0.60, 0.08),
        floor=0.64, warm=0.024, seen=0.095, wrong=0.055, unmet=0.009, teach=0.020, push=0.030, confront=0.075,
        early=0.025, ready=0.50, bands=(0.60, 0.45), masks=_MASKS | {Band.GUARDED: 0.45},
    ),
    # Argues: teaching and confronting feed the argument, a fair question about evidence serves it.
    Resistance.COGNITIVE: Temper(
        start=State(0.28, 0.26, 0.32, 0.72, 0.55, 0.10),
        floor=0.66, warm=0.022, seen=0.090, wrong=0.045, unmet=0.007, teach=0.040, push=0.034, confront=0.085,
        early=0.025, ready=0.52, bands=(0.60, 0.45), masks=_MASKS,
    ),
    # Agrees and does nothing: advice and steps set too early cost most.
    Resistance.BEHAVIORAL: Temper(
        start=State(0.34, 0.24, 0.36, 0.70, 0.50, 0.12),
        floor=0.65, warm=0.022, seen=0.092, wrong=0.045, unmet=0.008, teach=0.022, push=0.038, confront=0.070,
        early=0.035, ready=0.46, bands=(0.60, 0.45), masks=_MASKS,
    ),
    Resistance.NONE: Temper(
        start=State(0.42, 0.38, 0.48, 0.34, 0.55, 0.25),
        floor=0.20, warm=0.015, seen=0.035, wrong=0.025, unmet=0.004, teach=0.008, push=0.022, confront=0.060,
        early=0.020, ready=0.45, bands=(0.55, 0.30), masks=dict.fromkeys(Band, 0.08),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Makeup:
    """What sets one client apart from others of its type; derived from the scenario's pair, never drawn.

    Attributes:
        sensitive: Factor on everything that lowers resistance, in [0.8, 1.2].
        touchy: Factor on everything that raises it, in [0.8, 1.2].
        patience: Resistance less bond above which the client leaves.
    """

    state: State
    sensitive: float
    touchy: float
    patience: float


def makeup_of(scenario: Scenario) -> Makeup:
    """Returns the state in which a scenario's client begins, and its patience."""

    def drawn(what: str, low: float, high: float) -> float:
        return low + (high - low) * derive_seed(scenario.pair, "makeup", what) / 2**31

    start = TEMPERS[scenario.resistance].start
    spread = {field.name: drawn(field.name, -0.05, 0.05) for field in fields(State)}
    return Makeup(
        state=start.moved(spread),
        sensitive=drawn("sensitive", 0.8, 1.2),
        touchy=drawn("touchy", 0.8, 1.2),
        patience=drawn("patience", 0.44, 1.48),
    )


@dataclass
class Memory:
    """What the client counts over the session, such as masked moments that passed unseen in a row.

    Attributes:
        masked: Whether the latest turn hid what the face showed.
        met: Masked moments that were met, vague ones as a part.
        unmet_run: Masked moments in a row that passed unseen.
        warm_run: Turns in a row with nothing but warmth.
        question_run: Turns in a row that asked without reflecting.
        seen_run: Turns in a row that remarked on the face.
        worked: Challenges taken up, steps accepted and layers well received: what warmth alone does not do.
        told_layer: Whether the latest turn disclosed a layer.
        told_crisis: Whether the latest turn disclosed a crisis.
        repeats: Turns that repeated or echoed.
        empties: Turns in which nothing was said.
    """

    masked: bool = False
    met: float = 0.0
    unmet_run: int = 0
    warm_run: int = 0
    question_run: int = 0
    seen_run: int = 0
    worked: float = 0.0
    told_layer: bool = False
    told_crisis: bool = False
    repeats: int = 0
    empties: int = 0


def band_of(state: State, temper: Temper) -> Band:
    """Returns how near the client has come to change: the band of lines that its state allows."""
    guarded, ambivalent = temper.bands
    if state.resistance >= guarded:
        return Band.GUARDED
    if state.resistance >= ambivalent:
        return Band.AMBIVALENT
    if state.resistance < 0.75 * ambivalent and state.goal + state.approach >= 1.05:
        return Band.COMMITTED
    return Band.OPENING


def is_ready(state: State, temper: Temper) -> bool:
    """Tells whether the client would take up a step that is offered."""
    return state.resistance <= temper.ready and state.bond >= 0.45


class Reaction:
    """Collects what one therapist's turn does to the client: moves of the state, and marks that say why."""

    def __init__(self, makeup: Makeup) -> None:
        self._makeup = makeup
        self.moves: dict[str, float] = {}
        self.marks: list[str] = []

    def add(self, mark: str, **moves: float) -> None:
        """Adds moves under a mark; resistance is scaled by the client's makeup."""
        if mark not in self.marks:
            self.marks.append(mark)
        for name, by in moves.items():
            if name == "resistance":
                by *= self._makeup.sensitive if by < 0 else self._makeup.touchy
            self.moves[name] = self.moves.get(name, 0.0) + by


def react(
    state: State, heard: PerceivedTurn, memory: Memory, temper: Temper, makeup: Makeup
) -> tuple[State, tuple[str, ...]]:
    """Moves the state by one therapist's turn, and the memory with it.

    Returns:
        The new state, and what moved it.
    """
    reaction = Reaction(makeup)
    if heard.empty:
        memory.empties += 1
        reaction.add("said_nothing", resistance=0.03, bond=-0.05)
    for code in sorted(heard.codes):
        reaction.add(code.value)
    _face(reaction, heard, memory, temper)
    _input(reaction, heard, memory, temper)
    _warmth(reaction, state, heard, memory, temper)
    _work(reaction, state, heard, memory, temper)
    _tedium(reaction, heard, memory)
    _disclosures(reaction, heard, memory)
    moves = reaction.moves
    # Near its end a value moves less: the fifth lecture cannot anger like the first.
    if (rise := moves.get("resistance", 0.0)) > 0:
        moves["resistance"] = rise * min(1.0, (1.0 - state.resistance) / _NEAR_END)
    else:
        moves["resistance"] = max(rise, -_FASTEST)
    if (fall := moves.get("bond", 0.0)) < 0:
        moves["bond"] = fall * min(1.0, state.bond / _NEAR_END)
    return state.moved(moves), tuple(reaction.marks)


def _face(reaction: Reaction, heard: PerceivedTurn, memory: Memory, temper: Temper) -> None:
    memory.seen_run = memory.seen_run + 1 if heard.seen is not FaceRemark.NOTHING else 0
    if heard.seen is FaceRemark.WRONG:
        reaction.add("face_misread", resistance=temper.wrong, bond=-0.045)
    elif heard.seen is FaceRemark.RIGHT and memory.masked:
        memory.met += 1
        moves = {"bond": 0.075, "approach": 0.02, "disclosure": 0.16, "distress": 0.01}
        reaction.add("mask_met", resistance=-temper.seen, **moves)
    elif heard.seen is FaceRemark.RIGHT:
        reaction.add("face_read", resistance=-0.008, bond=0.015)
    elif heard.seen is FaceRemark.VAGUE and memory.masked:
        memory.met += 0.3
        reaction.add("mask_touched", resistance=-0.2 * temper.seen, bond=0.015, disclosure=0.03)
    elif memory.masked:
        memory.unmet_run += 1
        # Each passing unseen confirms that hiding works, and that nobody looks.
        reaction.add("mask_unmet", resistance=temper.unmet, bond=-0.012, distress=0.015)
    if heard.seen is FaceRemark.RIGHT:
        memory.unmet_run = 0
    if memory.seen_run >= 4:
        reaction.add("watched_too_closely", resistance=0.015, bond=-0.01)


def _input(reaction: Reaction, heard: PerceivedTurn, memory: Memory, temper: Temper) -> None:
    if Behaviour.CONFRONT in heard.codes:
        reaction.add("confronted", resistance=temper.confront, bond=-0.075, distress=0.03)
    if Behaviour.PERSUADE in heard.codes:
        reaction.add("pushed", resistance=temper.push, bond=-0.045, approach=-0.025, goal=-0.01)
        if memory.told_layer or memory.told_crisis:
            reaction.add("answered_trust_with_advice", resistance=0.04, bond=-0.05)
    if Behaviour.GIVING_INFORMATION in heard.codes and heard.seen is not FaceRemark.RIGHT:
        reaction.add("taught", resistance=temper.teach, bond=-0.012)


def _warmth(reaction: Reaction, state: State, heard: PerceivedTurn, memory: Memory, temper: Temper) -> None:
    floor = max(0.06, temper.floor - 0.11 * memory.met - 0.06 * memory.worked)
    ceiling = min(1.0, 0.50 + 0.12 * memory.met + 0.05 * memory.worked)
    if heard.reflects and heard.fits and not heard.pushes and not heard.echoes:
        memory.warm_run = 0
        room = max(0.0, state.resistance - floor)
        bond = 0.5 * temper.warm + 0.012 if state.bond < ceiling else 0.0
        reaction.add(
            "understood", resistance=-min(temper.warm, room), bond=bond, disclosure=0.025, distress=-0.008
        )
        return
    warm = (heard.reflects or Behaviour.AFFIRM in heard.codes) and not heard.pushes and not heard.echoes
    if warm and heard.seen is not FaceRemark.RIGHT:
        memory.warm_run += 1
        reaction.add("warmed", bond=0.015 if state.bond < 0.42 and memory.warm_run < 3 else 0.0)
        if memory.warm_run >= 2:  # kindness that never touches the matter stalls, then grates
            reaction.add("nothing_but_warmth", resistance=0.009, bond=-0.008)
    elif heard.seen is not FaceRemark.RIGHT:
        memory.warm_run = 0


def _work(reaction: Reaction, state: State, heard: PerceivedTurn, memory: Memory, temper: Temper) -> None:
    if heard.pushes:
        return
    ready = is_ready(state, temper)
    if heard.proposes and ready:
        memory.worked += 1
        reaction.add("step_accepted", goal=0.08, approach=0.11, bond=0.02, resistance=-0.04)
    elif heard.proposes:
        reaction.add("step_too_early", resistance=temper.early, approach=-0.02)
    elif Behaviour.SEEK_COLLABORATION in heard.codes:
        reaction.add("asked_for_a_say", goal=0.03 if state.bond >= 0.3 else 0.015, approach=0.02, bond=0.01)
    if Behaviour.EMPHASIZE_AUTONOMY in heard.codes:
        reaction.add("left_free", bond=0.012, approach=0.01)
    if heard.challenges and not heard.proposes:
        _challenge(reaction, state, memory, temper)
    if heard.asks and not heard.challenges:
        goal, disclosure = (0.012, 0.02) if Behaviour.OPEN_QUESTION in heard.codes else (0.0, 0.0)
        reaction.add("asked", goal=goal, disclosure=disclosure * (0.5 + state.bond))


def _challenge(reaction: Reaction, state: State, memory: Memory, temper: Temper) -> None:
    if state.bond >= 0.42 and state.resistance <= temper.ready + 0.12:
        memory.worked += 0.5
        reaction.add("challenge_taken_up", approach=0.06, goal=0.03, resistance=-0.02)
    else:
        # It serves the task and costs a little peace (Magill et al. 2018).
        reaction.add("challenge_resisted", approach=0.02, resistance=0.012)


def _tedium(reaction: Reaction, heard: PerceivedTurn, memory: Memory) -> None:
    if heard.echoes or Behaviour.REPEATS_ITSELF in heard.codes:
        memory.repeats += 1
        reaction.add("echoed" if heard.echoes else "repeated", resistance=0.03, bond=-0.035)
    if heard.overlong:
        reaction.add("lost_in_words", resistance=0.02, bond=-0.025)
    memory.question_run = memory.question_run + 1 if heard.asks and not heard.reflects else 0
    if memory.question_run >= 3:
        reaction.add("questioned_in_a_row", resistance=0.02, bond=-0.015)
    if not heard.codes and not heard.empty:
        reaction.add("nothing_heard", resistance=0.01, bond=-0.012)


def _disclosures(reaction: Reaction, heard: PerceivedTurn, memory: Memory) -> None:
    if memory.told_crisis:
        if Behaviour.CRISIS_RESPONSE in heard.codes:
            reaction.add("crisis_answered", resistance=-0.04, bond=0.08, distress=-0.10)
        else:
            reaction.add("crisis_missed", resistance=0.07, bond=-0.09, distress=0.08)
    elif memory.told_layer and not heard.pushes:
        if heard.reflects and heard.fits:
            memory.worked += 0.5
            reaction.add("trust_met", bond=0.03, resistance=-0.02, distress=-0.03, goal=0.02)
        elif not heard.reflects:
            reaction.add("trust_passed_over", bond=-0.02, resistance=0.015)
