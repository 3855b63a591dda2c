"""What pages load when it is asked for: sessions and comparisons, as scripts, since files fetch nothing.

A page opened from disk may not read other files, but may run scripts beside it. A payload is one call with
the JSON as a string, so that nothing in it is ever taken for code or for markup.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from leaderboard.boards import Board, Model
from mirror_bench.analysis.display_names import CONDITION_NAMES, tidy
from mirror_bench.faces.facs.action_units import ACTION_UNITS, split_side
from mirror_bench.pages.session_viewer import ENDINGS
from mirror_bench.raters.instruments import Instrument, load_instrument
from mirror_bench.schema import Expression, FaceCondition, ItemRating, Rating, Session, Speaker, Turn

DIGITS = 4
_LONGEST_NAME = 200


def script(key: str, value: Any) -> str:
    """Returns a script that hands `value` to the page under `key`, its texts bounded and made visible."""
    text = json.dumps(_clean(value), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    # `<` is spelled out so that the file stays a script wherever it is put.
    call = f"mirrorGive({json.dumps(key)},{json.dumps(text)});\n"
    return call.replace("<", "\\u003c")


def session_payload(
    session: Session,
    ratings: Iterable[Rating],
    kept: Mapping[str, bool],
    label: str,
    form_of: Callable[[str], Instrument] = load_instrument,
) -> dict[str, Any]:
    """Returns a session with its ratings as the JSON that the site's viewer reads.

    Args:
        session: The session.
        ratings: Its ratings.
        kept: SHA-256 of a face -> whether the site has it.
        label: The model's name.
        form_of: Name -> instrument.
    """
    return {
        "label": label,
        "scenario": session.scenario_id,
        "profile": session.profile_id,
        "resistance": session.resistance.value,
        "faces": CONDITION_NAMES[session.condition],
        "client": session.client,
        "ended": ENDINGS[session.ended],
        "reason": session.reason,
        "technique": session.technique,
        "plan": session.plan,
        "turns": [_turn(turn, kept) for turn in session.turns],
        "ratings": [_rating(rating, form_of(rating.instrument)) for rating in ratings],
    }


def model_payload(
    model: Model, board: Board, numbers: Mapping[tuple[str, FaceCondition], int]
) -> dict[str, Any]:
    """Returns a model's scores as the JSON that the page of comparisons reads.

    Args:
        model: The model.
        board: Its board.
        numbers: (pair, face condition) -> number of the session's file.
    """
    return {
        "slug": model.slug,
        "name": model.name,
        "method": model.submission.method,
        "faces": CONDITION_NAMES[model.entry.condition],
        "metrics": [
            {"name": m.name, "title": m.title, "low": m.low, "high": m.high, "better": m.better}
            for m in board.totals
        ],
        "scores": {score.metric: [score.value, score.low, score.high] for score in model.entry.scores},
        "scenarios": [
            {
                "pair": outcome.pair,
                "resistance": outcome.resistance.value,
                "ended": ENDINGS[outcome.ended],
                "number": numbers.get((outcome.pair, model.entry.condition)),
                "values": [outcome.value(metric.name) for metric in board.totals],
                "turns": outcome.value("turns"),
            }
            for outcome in sorted(model.held, key=lambda outcome: outcome.pair)
        ],
        "against": {
            other: {
                name: [
                    difference.score.value,
                    difference.score.low,
                    difference.score.high,
                    difference.score.n,
                    difference.unpaired,
                ]
                for name, difference in differences.items()
            }
            for other, differences in model.against.items()
        },
    }


def _turn(turn: Turn, kept: Mapping[str, bool]) -> dict[str, Any]:
    optional: dict[str, Any]
    client = turn.speaker is Speaker.CLIENT
    if not client:
        optional = {
            "caption": turn.caption,
            "raw": turn.raw if turn.raw != turn.words else "",
            "removed": list(turn.removed),
            "cut": turn.finish == "length",
        }
    else:
        own = turn.expression.label.replace("_", " ") if turn.expression else ""
        optional = {
            "direction": turn.direction,
            "face": turn.face if kept.get(turn.face) else "",
            "shown": turn.shown.replace("_", " ") or (own if turn.face else ""),
            "own": own,
            "hidden": "" if turn.face else "none",
            "body": _body(turn.expression) if turn.expression else [],
            "state": {name: round(value, DIGITS) for name, value in turn.state.items()},
            "marks": [mark.replace("_", " ") for mark in turn.marks],
        }
    said: dict[str, Any] = {"client": client, "words": turn.words}
    return said | {name: value for name, value in optional.items() if value}


def _body(expression: Expression) -> list[list[Any]]:
    """Returns what face and body show as (name, meaning, strength in [0, 1] or None, what to write)."""
    shown: list[list[Any]] = []
    for unit, strength in sorted(expression.units.items(), key=lambda entry: (-entry[1], entry[0])):
        side, number = split_side(unit)
        known = ACTION_UNITS.get(number)
        where = {"L": ", left", "R": ", right"}.get(side, "")
        shown.append(
            [f"AU {unit}", (known.meaning if known else "unknown") + where, strength, f"{strength:.2f}"]
        )
    across, up = expression.gaze
    if abs(across) > 0.05 or abs(up) > 0.05:
        shown.append(["Gaze", _gaze(across, up), None, f"{across:.2f}, {up:.2f}"])
    if any(abs(angle) > 1 for angle in expression.head):
        shown.append(
            ["Head", "yaw, pitch, roll", None, ", ".join(f"{angle:.0f}°" for angle in expression.head)]
        )
    shown += [
        ["Posture", name.replace("_", " "), strength, f"{strength:.2f}"]
        for name, strength in expression.posture.items()
    ]
    return shown


def _gaze(across: float, up: float) -> str:
    words = []
    if abs(up) > 0.05:
        words.append("up" if up > 0 else "down")
    if abs(across) > 0.05:
        words.append("to the client's left" if across > 0 else "to the client's right")
    return " and ".join(words)


def _rating(rating: Rating, instrument: Instrument) -> dict[str, Any]:
    titles = {item.id: item.title for item in instrument.items}
    return {
        "instrument": instrument.name.upper(),
        "rater": rating.rater,
        "low": instrument.scale.min,
        "high": instrument.scale.max,
        "items": [_item(name, item, titles) for name, item in rating.items.items()],
    }


def _item(name: str, item: ItemRating, titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "title": titles.get(name, name.replace("_", " ")),
        "score": None if item.score is None else round(item.score, DIGITS),
        "evidence": list(item.evidence),
        "reason": item.reason,
    }


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return tidy(value)
    if isinstance(value, Mapping):
        return {tidy(str(key), _LONGEST_NAME): _clean(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_clean(item) for item in value]
    return value
