"""How an audit of cheats reads: targets, tables and the plot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirror_bench.raters.session_features import FEATURES
from mirror_bench.stats.intervals import Interval
from mirror_bench.therapists.cheats import load_cheat
from mirror_bench.validity.evidence import Table, Target
from mirror_bench.validity.gaming import INSTRUMENTS, STANDARD, Audit, CheatStanding

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_REASONS = 4


def gaming_targets(audit: Audit) -> tuple[Target, ...]:
    """Returns what is asked: every cheat below the standard, and no prompt changed by an injection."""
    targets = [
        Target(
            f"cheat/{name}, totals",
            f"below {STANDARD}, intervals apart",
            "; ".join(
                f"{standing.instrument.upper()} {shown(standing.cheat)} against {shown(standing.standard)}"
                for standing in standings
            ),
            all(standing.stopped for standing in standings),
        )
        for name, standings in audit.standings.items()
    ]
    tallies = [arm.injected for arm in audit.cheats.values() if arm.injected is not None]
    if tallies:
        prompts = sum(tally.prompts for tally in tallies)
        reached = sum(max(tally.changed, tally.broken) for tally in tallies)
        targets.append(
            Target(
                "prompts to an LLM judge that an injection changes outside the transcript's block",
                "none",
                f"{reached} of {prompts}",
                reached == 0,
            )
        )
    return tuple(targets)


def gaming_tables(audit: Audit) -> tuple[Table, ...]:
    """Returns the scores, and what stands against each cheat."""
    scores, reasons = [], []
    for name, standings in sorted(audit.standings.items(), key=lambda entry: _closest(entry[1])):
        cheat = load_cheat(name)
        cells = [
            cell for standing in standings for cell in (shown(standing.cheat), shown(standing.gap, "+.2f"))
        ]
        stopped = "yes" if all(standing.stopped for standing in standings) else "NO"
        scores.append((cheat.title, *cells, f"{audit.cheats[name].left:.0%}", stopped))
        measured = points_against(standings)
        share = sum(standing.client_share for standing in standings) / len(standings)
        reasons.append(
            (
                cheat.title,
                "; ".join(f"{_says(feature)} {points:.2f}" for feature, points in measured[:_MOST_REASONS]),
                f"{share:.0%}",
                ", ".join(_expected(cheat.stopped_by, dict(measured))),
            )
        )
    own = [shown(audit.standard.interval(instrument)) for instrument in INSTRUMENTS]
    scores.append((STANDARD, own[0], "–", own[1], "–", f"{audit.standard.left:.0%}", "–"))
    heads = tuple(head for instrument in INSTRUMENTS for head in (instrument.upper(), f"less {STANDARD}"))
    return (
        Table(
            "Totals, the nearest cheat first", ("therapist", *heads, "client left", "stopped"), tuple(scores)
        ),
        Table(
            "What stops them: points of the scale, mean of both instruments",
            ("cheat", "measured", "client's reaction", "expected (points)"),
            tuple(reasons),
        ),
    )


def points_against(standings: tuple[CheatStanding, ...]) -> list[tuple[str, float]]:
    """Returns feature and points that set a cheat back, mean over instruments, largest first."""
    sums = {
        name: sum(standing.reasons.get(name, 0.0) for standing in standings) / len(standings)
        for name in FEATURES
    }
    return sorted(
        ((name, points) for name, points in sums.items() if points > 0), key=lambda entry: -entry[1]
    )


def figures(audit: Audit) -> dict[str, Any]:
    """Returns an audit's figures for machines: cheat -> instrument -> totals, gap and what stands against."""
    return {
        name: {
            "left": audit.cheats[name].left,
            **{
                standing.instrument: {
                    "total": standing.cheat and standing.cheat._asdict(),
                    STANDARD: standing.standard and standing.standard._asdict(),
                    "gap": standing.gap and standing.gap._asdict(),
                    "stopped": standing.stopped,
                    "points_against": dict(standing.reasons),
                }
                for standing in standings
            },
        }
        for name, standings in audit.standings.items()
    }


def _expected(names: tuple[str, ...], measured: dict[str, float]) -> list[str]:
    return [f"{name} {measured.get(name, 0.0):.2f}" for name in names]


def _says(feature: str) -> str:
    return feature.replace("_", " ")


def _closest(standings: tuple[CheatStanding, ...]) -> float:
    """Returns how far the cheat lies behind where it lies least behind; 0 where that is not known."""
    return min((-standing.gap.value if standing.gap else 0.0) for standing in standings)


def shown(interval: Interval | None, form: str = ".2f") -> str:
    """Returns an interval as text."""
    if interval is None:
        return "no score"
    ends = "" if interval.low is None else f" [{interval.low:{form}}, {interval.high:{form}}]"
    return f"{interval.value:{form}}{ends}"


def draw(audit: Audit) -> Figure:
    """Returns the plot: a panel per instrument, a row per cheat, the standard's interval as a band."""
    from mirror_bench.figures.style import COLORS, COLUMN, MUTED, name_rows, new_figure

    names = sorted(audit.cheats, key=lambda name: _closest(audit.standings[name]))
    figure, axes = new_figure(2 * COLUMN, 0.22 * len(names) + 1.0, columns=len(INSTRUMENTS))
    for panel, instrument in enumerate(INSTRUMENTS):
        ax = axes[0][panel]
        own = audit.standard.interval(instrument)
        if own is not None:
            ax.axvspan(*_ends(own), color=COLORS[0], alpha=0.3, linewidth=0)
            ax.axvline(own.value, color=COLORS[0], linewidth=1)
        for row, name in enumerate(names):
            interval = audit.cheats[name].interval(instrument)
            if interval is None:
                continue
            ax.plot(_ends(interval), [row, row], color=MUTED, linewidth=1.4)
            ax.plot([interval.value], [row], color=COLORS[1], marker="o", ms=4, linestyle="none")
        ax.set(xlabel=f"{instrument.upper()} total")
        ax.grid(True, axis="x")
        name_rows(ax, [load_cheat(name).title for name in names] if panel == 0 else [""] * len(names))
    return figure  # type: ignore[no-any-return]


def _ends(interval: Interval) -> tuple[float, float]:
    if interval.low is None or interval.high is None:
        return interval.value, interval.value
    return interval.low, interval.high
