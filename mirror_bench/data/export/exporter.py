"""Writes a data set to files: a table for `datasets`, or training sets in LLaVA's conversation format."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.data.base import DataSet
from mirror_bench.data.export.tables import rows, write_parquet
from mirror_bench.data.export.training_examples import (
    TRAINING_FORMS,
    TrainingExample,
    answered_turns,
    examples,
    lacks_plan,
)
from mirror_bench.errors import InputError
from mirror_bench.schema import canonical_json

EXPORT_FORMS = ("parquet", "jsonl", *TRAINING_FORMS)


class Export(NamedTuple):
    """The file that an export wrote, with the number of its records and images.

    Attributes:
        path: The file.
        records: Rows or examples in it.
        images: Image files beside it, in the folder `<stem>_images`, or used where they lie.
        left_out: Turns that gave no example, as their image or plan is missing.
    """

    path: Path
    records: int
    images: int = 0
    left_out: int = 0


def export_data(
    data: DataSet,
    form: str,
    path: Path,
    *,
    split: str = "",
    images: bool = True,
    image_root: Path | None = None,
    force: bool = False,
) -> Export:
    """Writes a data set; what is not finished never stands under the final name.

    Args:
        data: What to write.
        form: "parquet" or "jsonl" (one row per profile, its screenplays nested), or one of the training
            sets: "base", "planning", "ec_planning" in the structure of the authors' files, "llava-base",
            "llava-planning", "llava-ec-planning" with the prompts of our own.
        path: The file to write.
        split: Only this split; everything where empty.
        images: Whether a training set gets drawn faces, as 336x336 PNGs in a folder beside the file.
        image_root: Images that lie there as the authors' do; the file names them where they lie.
        force: Whether what stands there may be replaced.

    Raises:
        InputError: If the form is unknown, there is nothing to write, the file exists, or the place cannot
            be written.
    """
    if form not in EXPORT_FORMS:
        raise InputError(f"--form {form!r} is none of {', '.join(EXPORT_FORMS)}")
    part = data.of_split(split)
    if not part.profiles:
        known = ", ".join(sorted({profile.split for profile in data.profiles} - {""})) or "none"
        raise InputError(f"{data.name} has no profile of the split {split!r}: known are {known}")
    try:
        with _new(path, force) as draft:
            if form in TRAINING_FORMS:
                return _training_set(part, form, path, draft, images, image_root, force)
            if form == "parquet":
                write_parquet(part, draft)
            else:
                with draft.open("w", encoding="utf-8") as file:
                    file.writelines(canonical_json(row) + "\n" for row in rows(part))
            return Export(path, len(part.profiles))
    except OSError as error:
        raise InputError(f"--out {path}: cannot be written ({error.strerror or error})") from None


@contextmanager
def _new(path: Path, force: bool) -> Iterator[Path]:
    """Gives a temporary name beside `path`, which takes its place at the end, or vanishes on an error."""
    if path.is_dir():
        raise InputError(f"--out {path}: is a folder: name a file in it")
    if path.exists() and not force:
        raise InputError(f"--out {path}: exists already: choose another name or give --force")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=path.parent) as folder:
        draft = Path(folder) / path.name
        yield draft
        draft.replace(path)


def _training_set(
    data: DataSet, form: str, path: Path, draft: Path, images: bool, root: Path | None, force: bool
) -> Export:
    if root is not None and not root.is_dir():
        raise InputError(
            f"--image-root {root}: is no folder: name the one that holds <idx>/turn:<n>_<id>.png"
        )
    made = list(examples(data, TRAINING_FORMS[form], images, root))
    left_out = _left_out(data, form, made)
    if not made and left_out:
        raise InputError(_nothing_left(data, form, root))
    if not made:
        raise InputError(
            f"{data.name}: no screenplay has a therapist turn after a client turn: nothing to train on"
        )
    if root is not None:
        records = [_conversation(example, str(root)) for example in made]
        draft.write_text(json.dumps(records, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return Export(path, len(records), len({example.image for example in made}), left_out)
    folder = path.with_name(f"{path.stem}_images")
    if images and folder.exists() and not force:
        raise InputError(
            f"--out {path}: the folder {folder.name} exists already: choose another name or give --force"
        )
    records = [_conversation(example, folder.name) for example in made]
    draft.write_text(json.dumps(records, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    count = 0
    if images:
        drawn = draft.with_name("images")
        count = _draw(made, drawn)
        if folder.exists():
            folder.rename(draft.with_name("replaced"))  # goes away with the temporary folder
        shutil.move(drawn, folder)
    return Export(path, len(records), count, left_out)


def _left_out(data: DataSet, form: str, made: list[TrainingExample]) -> int:
    """Returns how many turns could have given an example and gave none."""
    due = sum(1 for play in data.screenplays for _ in answered_turns(play))
    return due - sum(example.id.endswith(":response") for example in made)


def _nothing_left(data: DataSet, form: str, root: Path | None) -> str:
    profiles = {profile.id: profile for profile in data.profiles}
    if all(lacks_plan(play, profiles[play.profile_id], TRAINING_FORMS[form]) for play in data.screenplays):
        return f"{data.name}: no screenplay has a technique and a plan, which the form {form} needs: use base"
    first = next((play, turn) for play in data.screenplays for turn, _ in answered_turns(play))
    expected = f"{first[0].id}/turn:{first[1] - 1}_<identity>.png"
    return f"--image-root {root}: holds no image of these screenplays, such as {expected}"


def _conversation(example: TrainingExample, folder: str) -> dict[str, Any]:
    record: dict[str, Any] = {"question_id": example.id}
    if example.image:
        record["image"] = f"{folder}/{example.image}"
    record["conversations"] = [
        {"from": "human", "value": example.prompt},
        {"from": "gpt", "value": example.answer},
    ]
    return record


def _draw(made: list[TrainingExample], folder: Path) -> int:
    """Draws each image once; a turn without a stage direction gets the neutral face."""
    from mirror_bench.faces.directions.reader import read_direction
    from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
    from mirror_bench.faces.identity import identity_of

    faces = DrawnFaces()
    folder.mkdir()
    wanted = {example.image: example for example in made}
    for name, example in wanted.items():
        expression = read_direction(example.direction).expression
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(faces.render(identity_of(example.profile), expression))
    return len(wanted)
