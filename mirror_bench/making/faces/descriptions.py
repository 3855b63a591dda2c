"""What an image model is told of a face: by our reader of stage directions, or by a language model."""

from __future__ import annotations

import functools
import re
from typing import Any, NamedTuple

from mirror_bench import prompts
from mirror_bench.content import content_path, read_yaml
from mirror_bench.engines.base import Engine, Message, Request, Sampling
from mirror_bench.errors import EngineError
from mirror_bench.faces.conditions import shown_expression
from mirror_bench.faces.facs.action_units import both_sides
from mirror_bench.making.faces.due import DueFace
from mirror_bench.schema import Expression, FaceCondition, FaceIdentity, derive_seed

_ATTEMPTS = 3
_LONGEST = 240
_MOST_UNITS = 5
_GAZE, _TURN, _PITCH, _TILT = 0.35, 10.0, 6.0, 8.0
_LINE = re.compile(r"^\W*(face|not)\W*[:：]\s*(.+)$", re.IGNORECASE | re.MULTILINE)


class Description(NamedTuple):
    """What an image is to show of a face, in words, and what it must not show.

    Attributes:
        face: What the image is to show.
        contrast: What it must not show.
    """

    face: str
    contrast: str


class Order(NamedTuple):
    """The prompt and the negative prompt for an image model."""

    prompt: str
    negative: str


def described(due: DueFace) -> Description:
    """Returns a face in words by its action units, and what an expression of opposite valence is called."""
    seed = derive_seed("contrast", due.id)
    contrast = shown_expression(FaceCondition.INCONGRUENT, due.expression, seed)
    assert contrast is not None
    return Description(in_words(due.expression), _content()["names"][contrast.label])


async def described_by(engine: Engine, due: DueFace) -> Description:
    """Returns a face in words as a language model puts it, and what would contradict it.

    Raises:
        EngineError: If the model cannot be asked, or never answers in the form asked for.
    """
    prompt = prompts.fill(
        "face_description", who=who(due.who.identity), direction=due.direction, words=due.words
    )
    sampling = Sampling(temperature=0.7, max_tokens=160)
    for attempt in range(_ATTEMPTS):
        request = Request(
            (Message("user", (prompt,)),), sampling, derive_seed("describe", due.id), attempt=attempt
        )
        answer = await engine.answer(request)
        lines = {match[1].lower(): " ".join(match[2].split()) for match in _LINE.finditer(answer.text)}
        if lines.get("face") and lines.get("not"):
            return Description(lines["face"][:_LONGEST], lines["not"][:_LONGEST])
    raise EngineError(f"{engine.name} did not answer with the lines FACE: and NOT: in {_ATTEMPTS} attempts")


def order_of(due: DueFace, description: Description) -> Order:
    """Returns the prompt and the negative prompt of a face."""
    content = _content()
    return Order(
        content["prompt"].format(who=who(due.who.identity), face=description.face),
        content["negative"].format(contrast=description.contrast),
    )


def who(identity: FaceIdentity) -> str:
    """Returns a person's age and sex in words."""
    text: str = _content()["who"][identity.sex]
    return text.format(age=identity.age)


def in_words(expression: Expression) -> str:
    """Returns an expression in words: its name, then what shows, the strongest first."""
    content = _content()
    least, strong = content["least"], content["strong"]
    shows: list[tuple[float, str]] = []
    for number, sides in both_sides(expression.units).items():
        strength = max(sides)
        if strength >= least:
            degree = f"{content['degree']} " if strength >= strong else ""
            shows.append((strength, degree + content["units"][int(number)]))
    parts = [content["names"][expression.label]]
    # Text encoders of image models read 77 tokens and no more.
    parts += [text for _, text in sorted(shows, key=lambda part: -part[0])[:_MOST_UNITS]]
    parts += _directions(expression, content)
    parts += [content["posture"][name] for name, strength in expression.posture.items() if strength >= least]
    return ", ".join(dict.fromkeys(parts))


def _directions(expression: Expression, content: Any) -> list[str]:
    (across, up), (yaw, pitch, roll) = expression.gaze, expression.head
    gaze, head = content["gaze"], content["head"]
    directions = []
    if abs(across) >= _GAZE:
        directions.append(gaze["left" if across > 0 else "right"])
    if abs(up) >= _GAZE:
        directions.append(gaze["up" if up > 0 else "down"])
    if abs(yaw) >= _TURN:
        directions.append(head["left" if yaw > 0 else "right"])
    if abs(pitch) >= _PITCH:
        directions.append(head["up" if pitch > 0 else "down"])
    if abs(roll) >= _TILT:
        directions.append(head["tilt"])
    return directions


@functools.cache
def _content() -> dict[str, Any]:
    return read_yaml(content_path("making", "face_words.yaml"))
