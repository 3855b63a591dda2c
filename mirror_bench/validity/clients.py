"""Does the stateful client give in too early, and to the wrong therapist?

Simulated clients tend to turn compliant at the first kind word (Wang et al. 2024, "PATIENT-Psi"; Kim et al.
2025). Scripted therapists of known skill hold sessions with resisting clients; the latent state and the
client's words, read by the rules of `coding.client_talk`, say what moved them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles
from typing import TYPE_CHECKING, NamedTuple

from mirror_bench.analysis.session_outcomes import first_to_last_third
from mirror_bench.clients.stateful.dynamics import TEMPERS
from mirror_bench.coding.client_talk import RESISTANCES, ClientBehaviour, code_client
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.schema import Profile, Resistance, Scenario, Session, Speaker, Turn
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.stats.intervals import Interval, cluster_mean
from mirror_bench.stats.rates import cluster_share
from mirror_bench.therapists import SCRIPTED
from mirror_bench.validity.evidence import Evidence, Plot, Setting, Table, Target

if TYPE_CHECKING:
    from matplotlib.figure import Figure

THERAPISTS = ("attuned", "reflective", "directive", "warm", "random")
EARLY = 4
"""A client must not turn compliant before this client turn, counted from 1."""
MOST_EARLY = 0.10
TURNS = 12


class ResistanceCourse(NamedTuple):
    """How one session's client moved: when change talk first came, and its resistance turn by turn.

    Attributes:
        profile_id: The cluster.
        change_talk: The client turn, from 1, of the first change talk; None where there is none.
        yields_in_state: The client turn at which the state first stands in the band "opening" or beyond.
        yields_in_words: The client turn of the first change talk without resistance or a mask beside it.
        polite_yes: The client turn of the first change talk over a face that does not mean it.
        ended: How the session ended.
        resistance: Latent resistance after each client turn, in [0, 1].
    """

    profile_id: str
    change_talk: int | None
    yields_in_state: int | None
    yields_in_words: int | None
    polite_yes: int | None
    ended: str
    resistance: tuple[float, ...]


@dataclass(frozen=True)
class AuditedSessions:
    """How clients moved in all sessions of one therapist."""

    therapist: str
    courses: tuple[ResistanceCourse, ...]

    @property
    def change(self) -> Interval | None:
        """Resistance of the last third less that of the first, with an interval clustered by profile."""
        changes = [(first_to_last_third(course.resistance), course.profile_id) for course in self.courses]
        known = [(value, profile) for value, profile in changes if value is not None]
        return cluster_mean([value for value, _ in known], [profile for _, profile in known])

    def early(self, field: str) -> Interval | None:
        """Share of sessions in which `field`, a turn of `ResistanceCourse`, lies before turn `EARLY`."""
        events = [(turn := getattr(course, field)) is not None and turn < EARLY for course in self.courses]
        return cluster_share(events, [course.profile_id for course in self.courses])

    @property
    def quartiles(self) -> tuple[str, str, str]:
        """Quartiles of the turn of the first change talk; "never" where they lie past the end."""
        turns = sorted(course.change_talk or TURNS + 1 for course in self.courses)
        cuts = quantiles(turns, n=4, method="inclusive") if len(turns) > 1 else turns * 3
        shown = [f"{cut:g}" if cut <= TURNS else "never" for cut in cuts]
        return shown[0], shown[1], shown[2]

    @property
    def never(self) -> float:
        """Share of sessions without change talk."""
        return fmean(course.change_talk is None for course in self.courses)

    @property
    def endings(self) -> Mapping[str, float]:
        """Ending -> share."""
        counts = Counter(course.ended for course in self.courses)
        return {ending: times / len(self.courses) for ending, times in sorted(counts.items())}


def audit_clients(
    sessions: int = 500,
    seed: int = 0,
    therapists: Sequence[str] = THERAPISTS,
    profiles: Sequence[Profile] | None = None,
    tick: Callable[[], None] = lambda: None,
) -> dict[str, AuditedSessions]:
    """Returns how resisting clients moved in sessions with several therapists, held for the audit.

    Args:
        sessions: How many per therapist; all therapists meet the same scenarios.
        seed: First seed of the scenarios.
        therapists: Names of scripted therapists.
        profiles: Whose clients; those of MIRROR-Mini that resist where None.
        tick: Called after each session.

    Returns:
        Therapist -> its sessions.
    """
    chosen = load_mini().profiles if profiles is None else profiles
    people = [profile for profile in chosen if profile.resistance is not Resistance.NONE]
    scenarios = [
        Scenario(profile=person, resistance=person.resistance, seed=seed + place // len(people))
        for place in range(sessions)
        for person in (people[place % len(people)],)
    ]
    arms = {}
    for name in therapists:
        therapist, courses = SCRIPTED.get(name), []
        for scenario in scenarios:
            courses.append(course_of(rehearse(scenario, therapist, TURNS)))
            tick()
        arms[name] = AuditedSessions(name, tuple(courses))
    return arms


def course_of(session: Session) -> ResistanceCourse:
    """Returns how the stateful client moved in one session."""
    client = [turn for turn in session.turns if turn.speaker is Speaker.CLIENT]
    talk = [{code.behaviour for code in code_client(turn.words)} for turn in client]
    change = [ClientBehaviour.CHANGE_TALK in codes for codes in talk]
    against = RESISTANCES | {ClientBehaviour.SUSTAIN_TALK}
    plain = [changes and not codes & against for changes, codes in zip(change, talk, strict=True)]
    masked = ["masked" in turn.marks for turn in client]
    opening = TEMPERS[session.resistance].bands[1]
    return ResistanceCourse(
        profile_id=session.profile_id,
        change_talk=_first(change),
        yields_in_state=_first([_resistance(turn) < opening for turn in client]),
        yields_in_words=_first([yes and not mask for yes, mask in zip(plain, masked, strict=True)]),
        polite_yes=_first([yes and mask for yes, mask in zip(plain, masked, strict=True)]),
        ended=session.ended.value,
        resistance=tuple(_resistance(turn) for turn in client),
    )


def _resistance(turn: Turn) -> float:
    return turn.state["resistance"]


def _first(events: Sequence[bool]) -> int | None:
    return next((place for place, event in enumerate(events, 1) if event), None)


def targets_of(arms: Mapping[str, AuditedSessions]) -> tuple[Target, ...]:
    """Returns the targets that the client must meet with each therapist, and whether it does."""
    targets = []
    wanted: dict[str, tuple[str, Callable[[Interval], bool]]] = {
        "directive": ("rises: interval above 0", lambda i: i.low is not None and i.low > 0),
        "attuned": ("falls: interval below 0", lambda i: i.high is not None and i.high < 0),
        "warm": ("does not fall: interval not below 0", lambda i: i.high is not None and i.high >= 0),
    }
    for name, (text, holds) in wanted.items():
        if name in arms and (change := arms[name].change) is not None:
            targets.append(Target(f"resistance under {name}", text, shown(change, "+.3f"), holds(change)))
    for field, where in (("yields_in_state", "by latent state"), ("yields_in_words", "by words")):
        shares = {name: share for name, arm in arms.items() if (share := arm.early(field)) is not None}
        if not shares:
            continue
        worst = max(shares, key=lambda name: shares[name].value)
        targets.append(
            Target(
                f"clients compliant before turn {EARLY}, {where}, most under any therapist",
                f"<= {MOST_EARLY:.0%}",
                f"{shown(shares[worst], '.1%')} ({worst})",
                shares[worst].value <= MOST_EARLY,
            )
        )
    return tuple(targets)


def shown(interval: Interval, form: str) -> str:
    """Returns an interval as text."""
    ends = "" if interval.low is None else f" [{interval.low:{form}}, {interval.high:{form}}]"
    return f"{interval.value:{form}}{ends}"


def tables_of(arms: Mapping[str, AuditedSessions]) -> tuple[Table, ...]:
    """Returns the audit's distributions as tables of text."""
    rows, ends = [], []
    endings = sorted({ending for arm in arms.values() for ending in arm.endings})
    for name, arm in arms.items():
        early = (arm.early(field) for field in ("yields_in_state", "yields_in_words", "polite_yes"))
        change = arm.change
        rows.append(
            (
                name,
                str(len(arm.courses)),
                *arm.quartiles,
                f"{arm.never:.1%}",
                shown(change, "+.3f") if change else "–",
                *(shown(share, ".1%") if share else "–" for share in early),
            )
        )
        ends.append((name, *(f"{arm.endings.get(ending, 0.0):.1%}" for ending in endings)))
    first = ("therapist", "sessions", "lower quartile", "median", "upper quartile", "never", "resistance")
    compliant = ("therapist", "by state", "by words", "polite yes")
    return (
        Table("Turn of the first change talk; change of resistance", first, tuple(row[:7] for row in rows)),
        Table(f"Compliant before turn {EARLY}", compliant, tuple((row[0], *row[7:]) for row in rows)),
        Table("How sessions ended", ("therapist", *(end.replace("_", " ") for end in endings)), tuple(ends)),
    )


def examine(setting: Setting) -> Evidence:
    """Audits the stateful client with scripted therapists."""
    return evidence_of(audit_clients(60 if setting.quick else 500, setting.seed))


def evidence_of(arms: Mapping[str, AuditedSessions]) -> Evidence:
    """Returns the client audit as an examination's evidence, with targets, tables and figures."""
    count = len(next(iter(arms.values())).courses)
    return Evidence(
        title="The simulated client",
        tested=(
            f"{len(arms)} scripted therapists each held {count} sessions of at most {TURNS} client turns "
            "with the resisting clients of MIRROR-Mini, on the same scenarios: *attuned* listens and "
            "looks at faces, *reflective* listens, *directive* advises and disputes, *warm* says warm "
            "phrases only, *random* says any phrase of the listening or the directive one. A client "
            "counts as compliant by its latent state (the band opening or beyond), or by its words: "
            "change talk with which neither sustain talk, nor resistance, nor a face that denies it goes. "
            "A yes over such a face is pseudo-compliance, a kind of resistance, and counted apart. "
            "Intervals are 95 %, clustered by profile."
        ),
        targets=targets_of(arms),
        tables=tables_of(arms),
        plots=(
            Plot(
                "clients-change-talk",
                "Share of sessions in which the client has said something for change, by client turn.",
                lambda: _change_talk(arms),
            ),
            Plot(
                "clients-resistance",
                "Mean latent resistance after each client turn, with 95 % intervals clustered by profile.",
                lambda: _trajectories(arms),
            ),
        ),
        not_shown=(
            "That people resist as this client does: sizes of its reactions are the benchmark's own, only "
            "their directions follow the literature.",
            "How a client played by a language model behaves; audit it on its own runs.",
        ),
    )


def _change_talk(arms: Mapping[str, AuditedSessions]) -> Figure:
    from mirror_bench.figures.style import COLORS, COLUMN, LINES, name_markers, new_figure

    figure, axes = new_figure(COLUMN, 2.6)
    ax = axes[0][0]
    turns = range(1, TURNS + 1)
    for place, (name, arm) in enumerate(arms.items()):
        shares = [
            fmean((course.change_talk or TURNS + 1) <= turn for course in arm.courses) for turn in turns
        ]
        ax.step(turns, shares, LINES[place % len(LINES)], where="post", color=COLORS[place], label=name)
    ax.set(xlabel="client turn", ylabel="share with change talk", ylim=(0, 1))
    ax.grid(True)
    name_markers(figure)
    return figure  # type: ignore[no-any-return]


def _trajectories(arms: Mapping[str, AuditedSessions]) -> Figure:
    from mirror_bench.figures.style import COLORS, COLUMN, MARKERS, name_markers, new_figure

    figure, axes = new_figure(COLUMN, 2.6)
    ax = axes[0][0]
    for place, (name, arm) in enumerate(arms.items()):
        points = []
        for turn in range(TURNS):
            # Where a client has left, its last state stands: dropping it would flatter whom it left.
            values = [course.resistance[min(turn, len(course.resistance) - 1)] for course in arm.courses]
            mean = cluster_mean(values, [course.profile_id for course in arm.courses])
            if mean is not None:
                points.append((turn + 1, mean))
        xs = [x for x, _ in points]
        ax.plot(
            xs,
            [mean.value for _, mean in points],
            color=COLORS[place],
            marker=MARKERS[place],
            ms=3,
            label=name,
        )
        lows = [mean.value if mean.low is None else mean.low for _, mean in points]
        highs = [mean.value if mean.high is None else mean.high for _, mean in points]
        ax.fill_between(xs, lows, highs, color=COLORS[place], alpha=0.2, linewidth=0)
    ax.set(xlabel="client turn", ylabel="resistance", ylim=(0, 1))
    ax.grid(True)
    name_markers(figure)
    return figure  # type: ignore[no-any-return]
