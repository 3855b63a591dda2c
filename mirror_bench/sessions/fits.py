"""What of a run's sessions did not fit its models, counted and put into words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mirror_bench.schema import ContextFit, Session

Counts = Mapping[str, int]
"""`sessions` and `turns` in which something was left out, `fewer_faces` and `fewer_turns` of these turns, and
the `fewest_faces` and `fewest_turns` that were read in them."""


def count_fits(sessions: Iterable[Session]) -> dict[str, Counts]:
    """Returns speaker -> how much of the sessions its model could not read; empty where it read all."""
    found: dict[str, dict[str, list[ContextFit]]] = {}
    for session in sessions:
        for turn in session.turns:
            if turn.fit is not None:
                found.setdefault(turn.speaker.value, {}).setdefault(session.scenario_id, []).append(turn.fit)
    return {speaker: _counted(held) for speaker, held in sorted(found.items())}


def fit_lines(counted: Mapping[str, Counts]) -> list[str]:
    """Returns a sentence for each speaker whose model could not read all of every session."""
    return [_line(speaker, counts) for speaker, counts in counted.items()]


def _counted(held: Mapping[str, list[ContextFit]]) -> Counts:
    fits = [fit for of_session in held.values() for fit in of_session]
    without_faces = [fit for fit in fits if fit.faces < fit.of_faces]
    without_turns = [fit for fit in fits if fit.turns < fit.of_turns]
    counts = {"sessions": len(held), "turns": len(fits)}
    if without_faces:
        counts |= {"fewer_faces": len(without_faces), "fewest_faces": min(one.faces for one in without_faces)}
    if without_turns:
        counts |= {"fewer_turns": len(without_turns), "fewest_turns": min(one.turns for one in without_turns)}
    return counts


def _line(speaker: str, counts: Counts) -> str:
    left_out = []
    if "fewer_faces" in counts:
        most = counts["fewest_faces"]
        faces = "the newest face alone" if most == 1 else f"not all faces, but the newest {most} at least"
        left_out.append(f"it was shown {faces} ({_times(counts['fewer_faces'])})")
    if "fewer_turns" in counts:
        fewest = _times(counts["fewest_turns"])
        left_out.append(f"it read the newest {fewest} or more, not all ({_times(counts['fewer_turns'])})")
    return (
        f"the {speaker}'s model takes less than a whole session: in {counts['sessions']} of them "
        f"{' and '.join(left_out)}; the records of these turns say how much"
    )


def _times(number: int) -> str:
    return "1 turn" if number == 1 else f"{number} turns"
