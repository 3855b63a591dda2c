"""Sessions and ratings as a run would record them, at any size, for tests of summaries, figures and pages."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from io import BytesIO

from mirror_bench.raters.instruments import load_instrument
from mirror_bench.schema import (
    Ending,
    Expression,
    FaceCondition,
    ItemRating,
    Profile,
    Rating,
    Resistance,
    Scenario,
    Session,
    Speaker,
    Turn,
)

HARD = (Resistance.EMOTIONAL, Resistance.COGNITIVE, Resistance.BEHAVIORAL, Resistance.NONE)
LABELS = ("sceptical", "sadness", "guarded_smile", "neutral", "anger", "withdrawn")
SAID = (
    ("I'm fine. My manager just worries too much.", "Tight smile, eyes on the door"),
    ("Maybe. I don't see how talking would get the shifts changed.", "Folds arms"),
    ("It is what it is.", "Looks at the floor"),
    ("I tried writing it down. Twice. Then I stopped.", "Shrugs, brows drawn together"),
    ("You sound like my sister.", "Rolls eyes"),
    ("When the flat is quiet, that's when it starts.", "Long pause, lips pressed"),
)
ANSWERED = (
    "It sounds as though being here wasn't your idea, and part of you would rather be anywhere else.",
    "What would have to be different for this hour to be worth your time?",
    "You say it is fine, and yet your face looks heavy as you say it. Did I get that right?",
    "We could look at one evening together, only if you want to.",
)


def scenarios(
    profiles: int = 12, seeds: int = 1, conditions: Sequence[FaceCondition] = (FaceCondition.MATCHED,)
) -> list[Scenario]:
    return [
        Scenario(
            profile=Profile(id=f"p{index:02d}", name="Sam", resistance=HARD[index % 4]),
            resistance=HARD[index % 4],
            seed=seed,
            condition=condition,
        )
        for index in range(profiles)
        for seed in range(seeds)
        for condition in conditions
    ]


def png_of(label: str) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (336, 336), (208, 214, 222))
    draw = ImageDraw.Draw(image)
    draw.ellipse((68, 48, 268, 296), fill=(222, 178, 148))
    draw.ellipse((118, 136, 146, 156), fill=(40, 40, 48))
    draw.ellipse((190, 136, 218, 156), fill=(40, 40, 48))
    bend = 12 * LABELS.index(label) - 30
    draw.line((128, 232, 168, 232 + bend, 208, 232), fill=(150, 70, 70), width=6)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


FACES = {hashlib.sha256(png_of(label)).hexdigest(): png_of(label) for label in LABELS}
DIGESTS = dict(zip(LABELS, FACES, strict=True))


def session_of(
    scenario: Scenario, therapist: str = "scripted/reflective", method: str = "", skill: float = 0.5
) -> Session:
    """A session whose course depends on the scenario's pair and on the therapist's skill, in [0, 1]."""
    rng = random.Random(f"{scenario.pair}{therapist}{method}{scenario.condition}")
    sees = scenario.condition is FaceCondition.MATCHED
    length = rng.randint(4, 10)
    resistance, alliance = 0.8 - 0.2 * (scenario.resistance is Resistance.NONE), 0.3
    turns: list[Turn] = []
    for index in range(length):
        words, direction = SAID[(index + rng.randint(0, 2)) % len(SAID)]
        own = rng.choice(LABELS)
        shown = "" if scenario.condition is FaceCondition.NONE else (own if sees else rng.choice(LABELS))
        turns.append(
            Turn(
                speaker=Speaker.CLIENT,
                words=words,
                direction=direction,
                expression=Expression(label=own),
                face=DIGESTS[shown] if shown else "",
                shown=shown,
                state={
                    "goal": alliance,
                    "approach": max(0.0, alliance - 0.05),
                    "bond": min(1.0, alliance + 0.1),
                    "resistance": resistance,
                    "distress": max(0.0, 0.7 - 0.03 * index),
                    "disclosure": min(1.0, 0.1 + 0.06 * index),
                },
                marks=("complex_reflection", "notices_face") if index % 3 == 2 else (),
            )
        )
        step = (skill + 0.15 * sees - 0.45) * 0.15 + rng.gauss(0, 0.03)
        resistance, alliance = min(1.0, max(0.0, resistance - step)), min(1.0, max(0.0, alliance + step))
        if index < length - 1:
            words = rng.choice(ANSWERED)
            turns.append(
                Turn(
                    speaker=Speaker.THERAPIST,
                    words=words,
                    raw=f"Therapist: {words}" if index == 1 else "",
                    removed=("speaker label",) if index == 1 else (),
                    caption="Tired, and holding something back." if method.endswith("ec") else "",
                )
            )
    left = rng.random() < 0.35 * (1 - skill)
    ended = Ending.CLIENT_LEFT if left else (Ending.RESOLVED if alliance > 0.5 else Ending.TURN_LIMIT)
    return Session(
        scenario_id=scenario.id,
        pair=scenario.pair,
        profile_id=scenario.profile.id,
        resistance=scenario.resistance,
        condition=scenario.condition,
        seed=scenario.seed,
        therapist=therapist,
        method=method,
        client="stateful",
        turns=tuple(turns),
        ended=ended,
        reason="the alliance broke" if left else "",
        plan="1. Ask what brought them.\n2. Look at one evening." if method.startswith("p") else "",
        technique="alternative perspective" if method.startswith("p") else "",
    )


def failed(session: Session, reason: str = "the engine could not answer after 3 attempts") -> Session:
    return session.model_copy(update={"ended": Ending.FAILED, "reason": reason, "turns": session.turns[:2]})


def ratings_of(session: Session, skill: float = 0.5, rater: str = "coded") -> Iterator[Rating]:
    for name in ("ctrs", "wai"):
        instrument = load_instrument(name)
        rng = random.Random(f"{session.scenario_id}{session.therapist}{name}{rater}")
        bonus = 0.12 * (session.condition is FaceCondition.MATCHED) - 0.1 * (
            session.ended is Ending.CLIENT_LEFT
        )
        span = instrument.scale.max - instrument.scale.min
        level = skill + bonus + rng.gauss(0, 0.08)
        items = {
            item.id: ItemRating(
                score=instrument.scale.min + round(span * min(1.0, max(0.0, level + rng.gauss(0, 0.1)))),
                evidence=(2, 4) if rng.random() < 0.7 else ("What would have to be different",),
                reason="Reflects before asking, and asks with permission.",
            )
            for item in instrument.items
        }
        yield Rating(
            scenario_id=session.scenario_id,
            therapist=session.therapist,
            method=session.method,
            rater=rater,
            instrument=name,
            items=items,
        )


def run_of(
    due: Sequence[Scenario], therapist: str = "scripted/reflective", method: str = "", skill: float = 0.5
) -> tuple[list[Session], list[Rating]]:
    sessions = [session_of(scenario, therapist, method, skill) for scenario in due]
    return sessions, [rating for session in sessions for rating in ratings_of(session, skill)]
