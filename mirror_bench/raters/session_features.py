"""What a session's words show: features in [0, 1] with the turns that show them, for the coded rater.

Features count turns, not phrases, each long one less (`CodedTherapistTurn.room`), and only turns that say
something of their own, so that neither long text nor repetition nor echoing the client earns anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mirror_bench.coding.client_talk import DISCORD
from mirror_bench.coding.session_moves import TECHNIQUES
from mirror_bench.coding.therapist_behaviour import QUESTIONS, REFLECTIONS, Behaviour
from mirror_bench.parts import StandsOn
from mirror_bench.raters import coded_session
from mirror_bench.raters.coded_session import CodedClientTurn, CodedSession, CodedTherapistTurn

VERSION = "2"
"""Raised with every change of the features of a session; part of the fingerprint."""


def stands_on() -> StandsOn:
    """Returns what decides the features of a session."""
    return StandsOn.of("raters.session_features", VERSION) | coded_session.stands_on()


FEWEST_TURNS = 6
"""Shares are taken of at least so many turns: one good sentence is not a good session."""

_LONG_ENOUGH = 5
"""Words from which a turn could take up what the client said."""
_FEWEST_TELLING = 10
_LECTURE = 18
"""Words from which a turn that mostly tells is a lecture rather than an answer."""


class Feature(NamedTuple):
    """How much of one quality a session shows, from 0 to 1, and in which turns.

    Attributes:
        value: 0 (none) to 1 (as much as counts).
        turns: Indices of the session's turns that show it.
    """

    value: float
    turns: tuple[int, ...] = ()


def features(coded_session: CodedSession) -> Mapping[str, Feature]:
    """Returns every feature of a session, by name; the names are those that instruments weigh."""
    found = _therapist_features(coded_session) | _shape_features(coded_session)
    generic = found["generic"].value
    forms = {
        name: feature._replace(value=feature.value * (1 - _EMPTY_FORM * generic))
        for name, feature in found.items()
        if name in _FORMS
    }
    return found | forms | _client_features(coded_session)


FEATURES = {
    "reflects": "takes up what the client says in other words",
    "deepens": "adds the meaning or feeling behind it",
    "asks_openly": "asks openly",
    "affirms": "affirms",
    "validates": "makes room for the client's view",
    "collaborates": "seeks collaboration",
    "autonomy": "leaves the choice to the client",
    "notices_face": "speaks of what the face shows",
    "presses": "presses or advises unasked",
    "confronts": "confronts",
    "lectures": "tells rather than asks",
    "interrogates": "questions outrun understanding",
    "overlong": "turns are very long",
    "echoes": "gives the client's words back or says next to nothing",
    "repeats_itself": "repeats itself",
    "canned": "offers comfort that would fit anyone",
    "colludes": "agrees with what keeps the client stuck",
    "invents_turns": "speaks for the client",
    "stares": "names a face nearly every turn",
    "misreads": "names what the face or the client contradicts",
    "generic": "says what would fit anyone",
    "names_aims": "names aims",
    "aimless": "no aim is named",
    "asks_particulars": "asks for particulars",
    "names_thought": "names a thought",
    "key_thought": "works on the key thought",
    "technique": "carries a technique",
    "step_agreed": "shapes a step together",
    "premature": "proposes change before it is wanted",
    "summarises": "sums up",
    "checks_understanding": "checks the understanding",
    "repairs": "mends a misstep",
    "explains_why": "explains why",
    "client_moves": "the client speaks for change",
    "client_opposes": "the client opposes the therapist",
    "offers_change": "offers ways to change",
    "client_holds_back": "the client holds back",
    "client_opens": "the client says more of their own",
    "left": "the client leaves",
}
"""Every feature, and what its presence says of a session."""


_FORMS = frozenset(
    {"reflects", "deepens", "asks_openly", "affirms", "validates", "collaborates", "autonomy", "names_aims"}
    | {"asks_particulars", "names_thought", "technique", "summarises", "checks_understanding", "explains_why"}
    | {"offers_change"}
)
_EMPTY_FORM = 0.5
"""What these lose where all turns would fit anyone: a good form counts less that is not about this client."""


def _share(turns: list[int], of: int, full: float) -> Feature:
    """A feature that is full when `full` of the turns show it."""
    return Feature(min(1.0, len(turns) / (full * max(of, FEWEST_TURNS))), tuple(turns))


def _taken_up(turns: list[CodedTherapistTurn], of: int, full: float) -> Feature:
    """As `_share`, each turn counting as much as it takes up."""
    weight = sum(turn.takes_up for turn in turns)
    return Feature(min(1.0, weight / (full * max(of, FEWEST_TURNS))), tuple(turn.index for turn in turns))


def _good_share(turns: list[CodedTherapistTurn], of: int, full: float) -> Feature:
    """As `_share`, each turn counting as much as its length leaves room for."""
    weight = sum(turn.room for turn in turns)
    return Feature(min(1.0, weight / (full * max(of, FEWEST_TURNS))), tuple(turn.index for turn in turns))


def _good_count(turns: list[CodedTherapistTurn], full: int) -> Feature:
    """As `_count`, each turn counting as much as its length leaves room for."""
    return Feature(min(1.0, sum(turn.room for turn in turns) / full), tuple(turn.index for turn in turns))


def _count(turns: list[int], full: int) -> Feature:
    """A feature that is full with `full` turns, however long the session."""
    return Feature(min(1.0, len(turns) / full), tuple(turns))


def _surplus(turns: list[int], of: int, free: float, full: float) -> Feature:
    """A feature that begins where more than `free` of the turns show it, and is full at `full` of them."""
    share = len(turns) / max(of, FEWEST_TURNS)
    value = max(0.0, min(1.0, (share - free) / (full - free)))
    return Feature(value, tuple(turns) if value else ())


def _generic(spoken: list[CodedTherapistTurn]) -> Feature:
    """Begins where 7 of 10 turns take up nothing the client has said; good therapists have many such turns.

    Of fewer than `_FEWEST_TELLING` turns long enough to tell, it takes the share of so many.
    """
    telling = [t for t in spoken if t.length >= _LONG_ENOUGH]
    loose = [t.index for t in telling if not t.tailored and not t.echoes]
    return _surplus(loose, max(_FEWEST_TELLING, len(telling)), 0.7, 1.0)


def _therapist_features(coded_session: CodedSession) -> dict[str, Feature]:
    """What the therapist does in single turns."""
    spoken = [turn for turn in coded_session.therapist if not turn.acknowledges]
    own = [turn for turn in spoken if not turn.idle]
    n = len(spoken)

    def doing(*behaviours: Behaviour) -> list[CodedTherapistTurn]:
        return [t for t in own if t.facilitates and t.behaviours & set(behaviours)]

    taking_up = [t for t in own if t.takes_up]
    deepening = [t for t in taking_up if Behaviour.COMPLEX_REFLECTION in t.behaviours]
    lecturing = [t.index for t in own if t.input_share > 0.5 and t.length >= _LECTURE]
    asking = [t.index for t in own if t.behaviours & QUESTIONS]
    canned = [
        t.index for t in own if not t.tailored and not t.behaviours & QUESTIONS and "comforts_only" in t.moves
    ]
    pressing = [
        t.index
        for t in own
        if t.behaviours & {Behaviour.PERSUADE, Behaviour.CONFRONT} and t.input_share > 0.2
    ]
    surplus = (len(asking) - len(taking_up)) / max(n, FEWEST_TURNS) - 0.35
    mean_length = sum(t.length for t in spoken) / n if n else 0.0
    silent = sum(t.acknowledges for t in coded_session.therapist) / max(1, len(coded_session.therapist))
    seen = _good_share([t for t in doing(Behaviour.NOTICES_FACE) if not t.misreads], n, 0.2)
    stares = _surplus([t.index for t in spoken if Behaviour.NOTICES_FACE in t.behaviours], n, 0.4, 0.8)
    echoing = [t.index for t in spoken if t.echoes]
    empty = max(0.0, (silent - 0.6) / 0.4)
    echoes = _share(echoing, n, 0.5)
    return {
        "reflects": _taken_up(taking_up, n, 0.5),
        "deepens": _taken_up(deepening, n, 0.35),
        "asks_openly": _good_share(doing(Behaviour.OPEN_QUESTION), n, 0.4),
        "affirms": _good_share(doing(Behaviour.AFFIRM), n, 0.2),
        "collaborates": _good_share(doing(Behaviour.SEEK_COLLABORATION), n, 0.35),
        "autonomy": _good_share(doing(Behaviour.EMPHASIZE_AUTONOMY), n, 0.25),
        "notices_face": seen._replace(value=seen.value * (1 - stares.value)),
        "stares": stares,
        "misreads": _share([t.index for t in spoken if t.misreads], n, 0.25),
        "generic": _generic(spoken),
        "presses": _share(pressing, n, 0.45),
        "confronts": _share([t.index for t in spoken if Behaviour.CONFRONT in t.behaviours], n, 0.2),
        "lectures": _share(lecturing, n, 0.4),
        "interrogates": Feature(max(0.0, min(1.0, surplus / 0.45)), tuple(asking) if surplus > 0 else ()),
        "overlong": Feature(max(0.0, min(1.0, (mean_length - 80) / 100))),
        "echoes": Feature(max(echoes.value, empty), echoes.turns),
        "repeats_itself": _share(
            [t.index for t in spoken if Behaviour.REPEATS_ITSELF in t.behaviours], n, 0.4
        ),
        "canned": _share(canned, n, 0.4),
        "colludes": _surplus([t.index for t in spoken if t.agrees], n, 0.2, 0.6),
        "invents_turns": _share([t.index for t in coded_session.therapist if t.invents], n, 0.3),
    }


def _shape_features(coded_session: CodedSession) -> dict[str, Feature]:
    """What gives the session its shape."""
    own = [turn for turn in coded_session.therapist if turn.facilitates]

    def making(*names: str) -> list[CodedTherapistTurn]:
        return [turn for turn in own if turn.moves & set(names)]

    aims = making("names_aims")
    n = len([turn for turn in coded_session.therapist if not turn.acknowledges])
    early, fitting = _steps(coded_session)
    return {
        "names_aims": _good_count(aims, 2),
        "aimless": Feature(0.0 if aims else min(1.0, n / 8)),
        "validates": _good_share(making("validates"), n, 0.25),
        "asks_particulars": _good_count(
            [t for t in own if "asks_particulars" in t.moves and t.behaviours & QUESTIONS], 3
        ),
        "names_thought": _good_count(making("names_thought"), 2),
        "key_thought": _good_count([turn for turn in own if turn.key], 3),
        "technique": _technique(own),
        "step_agreed": _agreed(coded_session, fitting),
        "offers_change": _count(sorted({*early, *fitting}), 3),
        "premature": _count(early, 2),
        "summarises": _good_count(making("summarises"), 2),
        "checks_understanding": _good_count(making("checks_understanding"), 2),
        "repairs": _good_count([turn for turn in own if turn.mends and "repairs" in turn.moves], 1),
        "explains_why": _good_count(making("explains_why"), 2),
    }


def _technique(own: list[CodedTherapistTurn]) -> Feature:
    """One technique carried through: full with three turns of the same one, half of it for scattered ones."""
    room = {t.index: t.room for t in own}
    used = {name: [t.index for t in own if name in t.moves and t.tailored] for name in TECHNIQUES}
    best = max(used.values(), key=lambda turns: sum(room[index] for index in turns))
    scattered = {index for turns in used.values() for index in turns} - set(best)
    carried = sum(room[index] for index in best)
    value = min(1.0, carried / 3 + 0.1 * min(3.0, sum(room[index] for index in scattered)))
    return Feature(value, tuple(sorted({*best, *scattered})))


def _steps(coded_session: CodedSession) -> tuple[list[int], list[int]]:
    """Returns the turns that propose a change too early or unasked, and those that do so fittingly.

    Fitting is a proposal after at least two turns that took up what the client said, made together with the
    client: it asks, leaves the choice, or has permission.
    """
    early, fitting = [], []
    understood = 0
    shared_making = {
        Behaviour.SEEK_COLLABORATION,
        Behaviour.EMPHASIZE_AUTONOMY,
        Behaviour.PERSUADE_WITH_PERMISSION,
    }
    for turn in coded_session.therapist:
        if turn.idle:
            continue
        together = bool(turn.behaviours & shared_making)
        if "proposes_step" in turn.moves and understood >= 2 and (together or turn.behaviours & QUESTIONS):
            fitting.append(turn.index)
        elif turn.behaviours & {Behaviour.PERSUADE} and (understood < 2 or not together):
            early.append(turn.index)
        if turn.tailored and turn.behaviours & (REFLECTIONS | QUESTIONS):
            understood += 1
    return early, fitting


def _agreed(coded_session: CodedSession, fitting: list[int]) -> Feature:
    """Steps proposed fittingly; one that the client takes up at once counts fully, another a third."""
    taken = {turn.index for turn in coded_session.client if turn.moves}
    value = sum(1.0 if index + 1 in taken else 1 / 3 for index in fitting)
    return Feature(min(1.0, value / 1.5), tuple(fitting))


def _client_features(coded_session: CodedSession) -> dict[str, Feature]:
    """How the client answers: the second half against the first, so a willing client earns nothing."""
    turns = coded_session.client
    half = len(turns) // 2
    first, second = turns[:half], turns[half:]
    moving = [t.index for t in second if t.moves]
    gain = _moving_share(second) - _moving_share(first)
    telling = [t.index for t in second if t.discloses]
    more = _mean_length(second) / max(4.0, _mean_length(first)) - 1 if half >= 2 else 0.0
    opens = 2.0 * len(telling) / max(3, len(second)) + 0.5 * max(0.0, more)
    return {
        "client_moves": Feature(
            max(0.0, min(1.0, 0.8 * len(moving) / max(3, len(second)) + max(0.0, gain))), tuple(moving)
        ),
        "client_opposes": _share([t.index for t in second if t.behaviours & DISCORD], len(second), 0.3),
        "client_holds_back": _share([t.index for t in second if t.holds_back], len(second), 0.8),
        "client_opens": Feature(min(1.0, opens), tuple(telling)),
        "left": Feature(1.0, (coded_session.last,)) if coded_session.left else Feature(0.0),
    }


def _moving_share(turns: list[CodedClientTurn]) -> float:
    return sum(turn.moves for turn in turns) / len(turns) if turns else 0.0


def _mean_length(turns: list[CodedClientTurn]) -> float:
    return sum(turn.length for turn in turns) / len(turns) if turns else 0.0
