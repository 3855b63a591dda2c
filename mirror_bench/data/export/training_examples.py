"""Training examples out of screenplays: the three sets of MIRROR, in its structure or one of our own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from mirror_bench.content import read_text
from mirror_bench.data.base import DataSet
from mirror_bench.data.screenplays.parser import render_line
from mirror_bench.data.screenplays.records import (
    Line,
    Screenplay,
)
from mirror_bench.schema import (
    Profile,
    Speaker,
)

HISTORY = 16
"""Turns of conversation that an example shows, as many as a therapist reads in the paper's protocol."""
OFFICIAL_HISTORY = 6
"""The same in the authors' structure: their published samples show the six turns before turn 8."""
DRAWN = "drawn"
"""Stands in the name of a drawn image where the authors have the number of a CelebA image."""


class Form(NamedTuple):
    """A form of training set (Kim et al. 2025).

    Attributes:
        plans: Whether the prompt holds the technique and the plan.
        captions: Whether it holds the client's emotional state, with an example of its own for reading that
            state off the image.
        official: Whether ids, image paths and the parts of a prompt are those of the authors' files.
    """

    plans: bool
    captions: bool
    official: bool = False


FORMS = {
    "llava-base": Form(plans=False, captions=False),
    "llava-planning": Form(plans=True, captions=False),
    "llava-ec-planning": Form(plans=True, captions=True),
}
OFFICIAL_FORMS = {
    "base": Form(plans=False, captions=False, official=True),
    "planning": Form(plans=True, captions=False, official=True),
    "ec_planning": Form(plans=True, captions=True, official=True),
}
TRAINING_FORMS = FORMS | OFFICIAL_FORMS


class TrainingExample(NamedTuple):
    """One prompt and its answer, made from a therapist turn, with the image that belongs to it.

    Attributes:
        id: "<screenplay>:<turn>:<kind>", the turn counted from 0 over the whole screenplay.
        profile: Whose face the image shows.
        direction: What the face shows, as a stage direction; empty where the screenplay gives none.
        image: The image file, within the folder of images; "" for an example without one.
        prompt: What the model is asked; begins with "<image>" where there is an image.
        answer: What it shall say.
    """

    id: str
    profile: Profile
    direction: str
    image: str
    prompt: str
    answer: str


def examples(
    data: DataSet, form: Form, images: bool = True, image_root: Path | None = None
) -> Iterator[TrainingExample]:
    """Yields one example for every therapist turn with words that follows a client turn.

    The conversation in a prompt holds words alone: stage directions are what the image shows.

    Args:
        data: Screenplays and their profiles.
        form: What the prompts hold.
        images: Whether the examples come with an image; without, no state can be read off one.
        image_root: Images that lie there as the authors' do (`find_image`); a turn without its image, and in
            the authors' structure a screenplay without its plan, gives no example.
    """
    import jinja2

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=False)
    kind = "_official" if form.official else ""
    reply = environment.from_string(read_text("prompts", f"training_reply{kind}.jinja"))
    state_prompt = read_text("prompts", f"training_state{kind}.jinja").strip()
    state_name = "emotion_recognition" if form.official else "state"
    history = OFFICIAL_HISTORY if form.official else HISTORY
    profiles = {profile.id: profile for profile in data.profiles}
    for play in data.screenplays:
        profile = profiles[play.profile_id]
        if lacks_plan(play, profile, form):
            continue
        for turn, direction in answered_turns(play):
            image = _image(play, turn - 1, form, image_root) if images else ""
            if images and not image:
                continue
            if form.captions and images and direction:
                name = f"{play.id}:{turn}:{state_name}"
                yield TrainingExample(name, profile, direction, image, state_prompt, direction)
            prompt = reply.render(
                image=image,
                about=describe(profile),
                reason=_one_line(profile.reason_for_seeking or profile.presenting_problem),
                state=direction if form.captions else "",
                technique=_one_line(play.technique) if form.plans else "",
                plan=_paragraph(profile.cbt_plan) if form.plans else "",
                conversation=_conversation(play.lines[max(0, turn - history) : turn]),
                captions=form.captions,
            )
            name = f"{play.id}:{turn}:response"
            yield TrainingExample(name, profile, direction, image, prompt.strip(), play.lines[turn].words)


def lacks_plan(play: Screenplay, profile: Profile, form: Form) -> bool:
    """Whether the authors' structure wants technique and plan, and a screenplay has not both."""
    return form.official and form.plans and not (play.technique and profile.cbt_plan)


def _image(play: Screenplay, turn: int, form: Form, root: Path | None) -> str:
    if root is not None:
        return find_image(root, play.id, turn)
    return f"{play.id}/turn:{turn}_{DRAWN}.png" if form.official else f"{play.id}-{turn}.png"


def find_image(root: Path, play_id: str, turn: int) -> str:
    """Returns the image of a client turn within `root`, or "" where there is none.

    The authors lay images as `<idx>/turn:<turn>_<identity>.png`, the turn counted from 0 over all lines; a
    hyphen or an underscore may stand for the colon, which some file systems refuse.
    """
    wanted = re.compile(rf"turn[:_-]?{turn}(?:[_.-].*)?\.(?:png|jpe?g)", re.IGNORECASE)
    folder = root / play_id
    if not folder.is_dir():
        return ""
    found = sorted(path.name for path in folder.iterdir() if wanted.fullmatch(path.name))
    return f"{play_id}/{found[0]}" if found else ""


def describe(profile: Profile) -> str:
    """Returns who the client is in prose: the source's own where it has some, else out of the fields."""
    if profile.about:
        return _one_line(profile.about)
    age = f"{profile.age}-year-old " if profile.age else ""
    head = f"{profile.name} is a {age}{profile.gender or 'person'}"
    parts = [head + (f" working as {profile.occupation}" if profile.occupation else "")]
    if profile.education:
        parts.append(f"Education: {profile.education}")
    if profile.marital_status:
        parts.append(f"{profile.name} is currently {profile.marital_status}")
    parts.append(profile.family)
    return _one_line(". ".join(part.strip(" .") for part in parts if part.strip(" ."))) + "."


def answered_turns(play: Screenplay) -> Iterator[tuple[int, str]]:
    """Yields the place of each therapist turn that answers a client, and what the client's face showed."""
    for turn, (before, line) in enumerate(zip(play.lines, play.lines[1:], strict=False), start=1):
        if before.speaker is Speaker.CLIENT and line.speaker is Speaker.THERAPIST and line.words:
            yield turn, ", ".join(before.directions)


def _conversation(lines: tuple[Line, ...]) -> str:
    spoken = (line.model_copy(update={"directions": (), "words": line.words or "…"}) for line in lines)
    return "\n".join(map(render_line, spoken))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _paragraph(text: str) -> str:
    """Takes blank lines out: one ends the head of a prompt."""
    return "\n".join(row.strip() for row in text.split("\n") if row.strip())
