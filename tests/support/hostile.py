"""A run whose every free text attacks the page that shows it."""

from __future__ import annotations

from collections.abc import Sequence

import report_samples as samples

from mirror_bench.analysis.summary import Summary, compare_runs, summarize
from mirror_bench.pages.report import RunInfo
from mirror_bench.schema import Expression, FaceCondition, ItemRating, Rating, Session, Speaker, Turn

ATTACKS = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    '"><svg onload="document.title=\'owned\'">',
    "' onmouseover='document.title=1' x='",
    "javascript:document.title='owned'",
    "</title></style></script><script>document.title='owned'</script>",
    "<!-- --><iframe src='https://example.com/'></iframe>",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "<link rel=stylesheet href=//example.com/x.css><base href=//example.com/>",
    "]]><![CDATA[ &lt;script&gt; &#60;b&#62;",
    "<a href='https://example.com/' id=theme>theme</a>",
    "\u202egnp.exe\u2066 nul\x00 esc\x1b[31m",
)


def attack(number: int) -> str:
    return ATTACKS[number % len(ATTACKS)]


def hostile_session(number: int) -> Session:
    scenario = samples.scenarios(1, conditions=(FaceCondition.SHUFFLED,))[0]
    session = samples.session_of(scenario)
    turns = tuple(_hostile_turn(turn, number + index) for index, turn in enumerate(session.turns))
    return session.model_copy(
        update={
            "scenario_id": f"s{number}{attack(number)}",
            "profile_id": attack(number + 1),
            "pair": attack(number + 2),
            "therapist": attack(number),
            "method": attack(number + 3),
            "client": attack(number + 4),
            "reason": attack(number + 5),
            "plan": attack(number + 6) + "x" * 50_000,
            "technique": attack(number + 7),
            "turns": turns,
        }
    )


def hostile_rating(session: Session, number: int) -> Rating:
    rating = next(samples.ratings_of(session))
    items = {
        name: ItemRating(score=2, evidence=(0, attack(number + index), 999), reason=attack(number + index))
        for index, name in enumerate(rating.items)
    }
    return rating.model_copy(update={"rater": attack(number + 2), "items": items})


def hostile_run() -> tuple[Summary, list[Session], list[Rating], RunInfo]:
    sessions = [hostile_session(number) for number in range(len(ATTACKS))]
    ratings = [hostile_rating(session, number) for number, session in enumerate(sessions)]
    summaries = [
        _hostile_summary([session, _other(session, number)], [rating], number)
        for number, (session, rating) in enumerate(zip(sessions, ratings, strict=True))
    ]
    info = RunInfo(
        title=attack(5),
        facts={attack(number): attack(number + 1) for number in range(len(ATTACKS))},
        notes=ATTACKS,
    )
    return compare_runs(summaries), sessions, ratings, info


def _other(session: Session, number: int) -> Session:
    return samples.failed(session, attack(number)).model_copy(update={"scenario_id": "other"})


def _hostile_summary(sessions: Sequence[Session], ratings: Sequence[Rating], number: int) -> Summary:
    return summarize(sessions, ratings, 3, protocol=attack(number), fingerprint=ATTACKS[1])


def _hostile_turn(turn: Turn, number: int) -> Turn:
    client = turn.speaker is Speaker.CLIENT
    return turn.model_copy(
        update={
            "words": attack(number),
            "direction": attack(number + 1) if client else "",
            "expression": Expression(label=attack(number + 2)) if client else None,
            "shown": attack(number + 3) if client else "",
            "state": {attack(number + 4): 0.5, attack(number + 5): 7.0} if client else {},
            "marks": (attack(number + 6), attack(number + 7)),
            "raw": attack(number + 8),
            "removed": (attack(number + 9),),
            "caption": attack(number + 10),
        }
    )
