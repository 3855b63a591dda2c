"""The official MIRROR files (Kim et al. 2025): tables, training samples, screenplays, a folder, the hub."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.data.base import DataSet
from mirror_bench.data.screenplays.parser import Parsed, parse_screenplay, unknown_speaker
from mirror_bench.data.screenplays.records import (
    Line,
)
from mirror_bench.data.sources.cbt_plans import read_cbt_plan
from mirror_bench.data.sources.llava_samples import add_sample, is_sample
from mirror_bench.data.sources.personal_info import read_age, read_gender, read_person, read_resistance
from mirror_bench.data.sources.record_collector import Gathering
from mirror_bench.data.sources.record_files import read_records
from mirror_bench.data.untrusted_input import (
    cell,
    cells,
    clean,
    identifier,
    missing,
    parse_literal,
    read_file,
)
from mirror_bench.errors import InputError
from mirror_bench.schema import (
    Profile,
    Resistance,
    Speaker,
    digest,
)

HUB = "multimodal-reframing/mirror"
_HUB_FILES = {"train": "mirror_data.csv", "test": "mirror_test.csv"}
GREETING = re.compile(
    r"\b(?:Hi|Hello|Hey|Welcome|Good (?:morning|afternoon|evening)|Thank you|Thanks)"
    r"(?: there| again| back)?,? "
    r"(?P<name>[A-Z][\w'’-]{1,30})\b(?=[,.!?;]| and\b|$)"
)
_SUFFIXES = {".csv", ".tsv", ".json", ".jsonl", ".parquet", ".txt"}


class OfficialRow(NamedTuple):
    """One record of an official file as it stands, and what became of it.

    Attributes:
        source: Name of the file.
        number: The record's line or number in it.
        record: Column, or key, -> cell.
        profile_id: The profile that it gave.
    """

    source: str
    number: int
    record: dict[str, Any]
    profile_id: str


Note = Callable[[OfficialRow], None]


def load_mirror(argument: str, note: Note = lambda row: None) -> DataSet:
    """Loads MIRROR from where it lies.

    Args:
        argument: A `.csv`, `.tsv`, `.json`, `.jsonl` or `.parquet` file of the official columns or of LLaVA
            training samples, a screenplay `.txt`, a folder of these, or "hub" for the public data set.
        note: Called with every record that gave a profile.

    Raises:
        InputError: If nothing usable is there, or the hub cannot be reached.
    """
    if not argument:
        raise InputError("mirror needs a place: write mirror:PATH, or mirror:hub for the public data set")
    gathering = Gathering()
    if argument == "hub":
        _add_hub(gathering, note)
    else:
        path = Path(argument)
        try:
            folder = path.is_dir()
        except (OSError, ValueError):  # a path too long, or with a null character
            folder = False
        if folder:
            _add_folder(path, gathering, note)
        else:
            _add_file(path, gathering, note)
    data = gathering.finish(f"mirror:{argument}")
    if not data.profiles:
        first = f": {data.problems[0].message}" if data.problems else ""
        raise InputError(f"{data.name}: holds no usable record{first}")
    return data


def _add_folder(folder: Path, gathering: Gathering, note: Note) -> None:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file())
    if not paths:
        raise InputError(f"{folder}: holds no {', '.join(sorted(_SUFFIXES))} file")
    for path in paths:
        try:
            _add_file(path, gathering, note)
        except InputError as error:
            gathering.problem(path.name, 1, str(error))


def _add_file(path: Path, gathering: Gathering, note: Note) -> None:
    if path.suffix.lower() == ".txt":
        _add_text(path, gathering, note)
        return
    records = read_records(path)
    gathering.problems(records.problems)
    split = _split(path.name)
    used = False
    for number, record in records.rows:
        used = _noted(record, path.name, number, split, gathering, note) or used
    if not used:
        known = "personal_info, dialogue or proc_dialogue (MIRROR), or conversations (LLaVA)"
        found = " ".join(", ".join(sorted(map(str, records.rows[0][1]))[:8])[:200].split())
        hint = (
            ": this is Cactus, read it with cactus:PATH"
            if "intake_form" in found or "AI_client" in found
            else ""
        )
        raise InputError(f"{path}: no record has {known}; the first has {found or 'nothing'}{hint}")


def _noted(
    record: dict[str, Any], source: str, number: int, split: str, gathering: Gathering, note: Note
) -> bool:
    """Adds a record as `add_record` does, and notes it where it gave a profile."""
    known = add_record(record, source, number, split, gathering)
    if known:
        note(OfficialRow(source, number, record, known))
    return bool(known) or is_sample(record)


def _add_hub(gathering: Gathering, note: Note) -> None:
    """Loads both splits file by file: their columns differ, which loading them together does not survive."""
    import datasets

    for split, file in _HUB_FILES.items():
        try:
            rows = datasets.load_dataset(HUB, data_files=file, split="train")
        except Exception as error:  # datasets, the hub client and the network each raise their own
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise InputError(
                f"mirror:hub: {HUB}/{file} cannot be loaded ({reason}): "
                "go online, or download the files and use mirror:PATH"
            ) from None
        for number, record in enumerate(rows, start=1):
            _noted(dict(record), file, number, split, gathering, note)


def _add_text(path: Path, gathering: Gathering, note: Note) -> None:
    """Adds a screenplay and as much of a profile as it gives: the name that the therapist greets."""
    content = read_file(path)
    key = identifier(path.stem) or "screenplay"
    resistance = read_resistance(path.stem) or Resistance.NONE
    read = functools.partial(
        parse_screenplay, content.text, id=key, profile_id=key, resistance=resistance, source=path.name
    )
    parsed = read()
    name = greeted(parsed.screenplay.lines)
    if name:
        parsed = read(client_names=(name,))  # it may stand for "Client" as well
    if not parsed.screenplay.lines:
        raise InputError(f"{path}: holds no turn: a turn begins with 'Therapist:' or 'Client:'")
    gathering.problems(content.problems + parsed.problems)
    profile = Profile(id=key, name=name or "Client", resistance=resistance)
    given = gathering.profile(profile, path.name, 1)
    gathering.screenplay(
        parsed.screenplay.model_copy(update={"id": given, "profile_id": given}), path.name, 1
    )
    note(OfficialRow(path.name, 1, {"idx": key, "dialogue": content.text}, given))


def greeted(lines: tuple[Line, ...]) -> str:
    """Returns the name by which the therapist greets the client in the first two lines, or ""."""
    for line in lines[:2]:
        found = GREETING.search(line.words) if line.speaker is Speaker.THERAPIST else None
        if found:
            return found["name"]
    return ""


def add_record(record: dict[str, Any], source: str, number: int, split: str, gathering: Gathering) -> str:
    """Adds the profile, and where there is one the screenplay, of one record of the official columns.

    Args:
        record: Column -> cell; any cell may be missing, quoted or a Python literal.
        source: Name of the file, for problems.
        number: The record's line or number in it.
        split: The split where the record names none.
        gathering: Takes what is read.

    Returns:
        The id of the profile; "" where the record gives none.
    """
    if is_sample(record):
        return add_sample(record, source, number, gathering)
    record = {str(key).strip().lower(): value for key, value in record.items()}
    about = cell(record.get("personal_info"))
    talks = not all(missing(record.get(column)) for column in ("dialogue", "proc_dialogue"))
    if not about and not talks:
        gathering.problem(source, number, "has neither personal_info nor a dialogue: the record was left out")
        return ""
    profile = _profile(record, about, source, number, split, gathering)
    given = gathering.profile(profile, source, number)
    if not talks:
        return given
    parsed = _dialogue(record, profile.model_copy(update={"id": given}), source, number, gathering)
    if not parsed.screenplay.lines:
        gathering.problem(source, number, "the dialogue holds no turn: no screenplay was made")
        return given
    play = parsed.screenplay.model_copy(
        update={
            "technique": cell(record.get("cbt_technique")) or read_cbt_plan(cell(record.get("cbt_plan")))[0],
            "split": profile.split,
        }
    )
    gathering.screenplay(play, source, number)
    return given


def _profile(
    record: dict[str, Any], about: str, source: str, number: int, split: str, gathering: Gathering
) -> Profile:
    idx, personality = cell(record.get("idx")), cell(record.get("personality"))
    resistance = read_resistance(cell(record.get("resistance")), idx, personality)
    if resistance is None:
        gathering.problem(
            source, number, "names no resistance type (resistance, idx, personality): taken as none"
        )
    person = read_person(about)
    named = {
        "name": cell(record.get("name")),
        "gender": read_gender(cell(record.get("gender")) or cell(record.get("dominant_gender"))),
    }
    named = {field: value for field, value in named.items() if value}
    if isinstance(record.get("annotation"), dict):  # `data annotate` has weighed prose, columns and dialogue
        person |= named | read_age(cell(record.get("age")))
    person = named | person
    if "name" not in person:
        gathering.problem(source, number, "gives no name: the profile is called 'Client'")
    # The age column is an estimate from the photograph: it counts only where the sentence gives none.
    person = {"name": "Client", **read_age(cell(record.get("age"))), **person}
    fields = {
        "about": about,
        "personality": personality,
        "distorted_thought": cell(record.get("distorted_thought")),
        "thinking_traps": cells(record.get("thinking_trap")),
        "reason_for_seeking": cell(record.get("reason_for_seeking_counseling")),
        "cbt_plan": read_cbt_plan(cell(record.get("cbt_plan")))[1],
        "split": identifier(cell(record.get("split"))) or split,
    }
    # A record without an id gets one from its content, so that it does not hang on the order of the file.
    key = identifier(idx) or "mirror-" + digest([person, fields["about"], fields["distorted_thought"]])[:12]
    return Profile.model_validate(
        {"id": key, "resistance": resistance or Resistance.NONE, **fields, **person}
    )


def _dialogue(
    record: dict[str, Any], profile: Profile, source: str, number: int, gathering: Gathering
) -> Parsed:
    """Reads `proc_dialogue`, or `dialogue` where that is missing, unreadable or empty."""
    text = cell(record.get("dialogue"))
    parsed = parse_screenplay(
        text,
        id=profile.id,
        profile_id=profile.id,
        resistance=profile.resistance,
        client_names=(profile.name,),
        source=source,
    )
    processed = record.get("proc_dialogue")
    if not missing(processed):
        try:
            value = parse_literal(processed) if isinstance(processed, str) else processed
            lines = _processed_lines(value, profile, lambda what: gathering.problem(source, number, what))
        except (ValueError, RecursionError) as error:
            gathering.problem(
                source, number, f"proc_dialogue {error or 'nests too deeply'}: dialogue was read"
            )
            lines = ()
        if lines:
            lacking = len(parsed.screenplay.lines) - len(lines)
            if lacking > 0:
                gathering.problem(source, number, f"proc_dialogue lacks {lacking} of the turns of dialogue")
            return Parsed(parsed.screenplay.model_copy(update={"lines": lines}), ())
    if text:
        for problem in parsed.problems:
            gathering.problem(source, number, f"dialogue line {problem.line}: {problem.message}")
    return parsed


def _processed_lines(value: Any, profile: Profile, report: Callable[[str], None]) -> tuple[Line, ...]:
    """Reads a list of {speaker, stage_direction, statement}."""
    if not isinstance(value, list):
        raise ValueError("is not a list")
    lines = []
    for place, item in enumerate(value, start=1):
        if not isinstance(item, dict):
            report(f"proc_dialogue turn {place} is not a mapping: it was left out")
            continue
        directions = item.get("stage_direction")
        texts = [*(directions if isinstance(directions, list) else [directions]), item.get("statement")]
        # "None" or "unknown" may be what a client says: only a true null counts as missing here.
        *behind, words = (" ".join(text.split()) if isinstance(text, str) else "" for text in texts)
        # The statement may hold further brackets, in whatever form a screenplay has them.
        label = cell(item.get("speaker")) or "?"
        row = f"{label}: " + "".join(f"[{text}] " for text in behind) + words
        parsed = parse_screenplay(row, id="turn", profile_id="", client_names=(profile.name,))
        if len(parsed.screenplay.lines) == 1:
            lines.append(parsed.screenplay.lines[0])
            for problem in parsed.problems:
                report(f"proc_dialogue turn {place}: {problem.message}")
        else:
            stranger = unknown_speaker(clean(label, 60), profile.id)
            report(f"proc_dialogue turn {place}: {stranger}: it was left out")
    return tuple(lines)


def _split(file: str) -> str:
    """Returns the split that the name of an official file means."""
    stem = Path(file).stem.lower()
    if re.search(r"(?:^|[_-])test\b", stem):
        return "test"
    return "train" if stem in {"mirror_data", "train"} else ""
