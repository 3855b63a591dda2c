"""Client intakes of Cactus (Lee et al. 2024), the source that MIRROR's profiles come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mirror_bench.data.base import DataSet
from mirror_bench.data.screenplays.parser import parse_screenplay
from mirror_bench.data.sources.mini import validation_message
from mirror_bench.data.sources.personal_info import read_intake
from mirror_bench.data.sources.record_collector import Gathering
from mirror_bench.data.sources.record_files import read_records
from mirror_bench.data.untrusted_input import cell, cells, identifier
from mirror_bench.errors import InputError
from mirror_bench.schema import Profile, digest

_ATTITUDES = ("positive", "neutral", "negative")


def load_cactus(argument: str) -> DataSet:
    """Loads Cactus records: a JSON list or JSON lines, of the evaluation set or of the training set.

    The attitude (positive, neutral or negative) says how willing the client is, which is not one of MIRROR's
    resistance types: it goes into `personality`, and `resistance` stays `none`.

    Args:
        argument: Path of the file.

    Raises:
        InputError: If the file is unusable altogether.
    """
    if not argument:
        raise InputError("cactus needs a file: write cactus:PATH")
    path = Path(argument)
    gathering = Gathering()
    records = read_records(path)
    gathering.problems(records.problems)
    for number, record in records.rows:
        form = record.get("AI_client", record)
        if not isinstance(form, dict) or not cell(form.get("intake_form")):
            gathering.problem(path.name, number, "has no intake_form: the record was left out")
            continue
        _add(record, form, path.name, number, gathering)
    if not len(gathering):
        raise InputError(
            f"{path}: holds no Cactus intake (records with AI_client.intake_form or intake_form)"
        )
    return gathering.finish(f"cactus:{argument}")


def _add(
    record: dict[str, Any], form: dict[str, Any], source: str, number: int, gathering: Gathering
) -> None:
    intake = cell(form["intake_form"])
    attitude = cell(form.get("attitude")).lower()
    if attitude not in _ATTITUDES:
        known = ", ".join(_ATTITUDES)
        gathering.problem(source, number, f"the attitude {attitude[:40]!r} is none of {known}: left empty")
        attitude = ""
    fields = read_intake(intake)
    if "name" not in fields:
        gathering.problem(source, number, "the intake form gives no name: the profile is called 'Client'")
    name = fields.setdefault("name", "Client")
    slug = identifier(name.lower())[:40] or "client"
    thought, traps = cell(form.get("thought")), cells(form.get("patterns"))
    # Equal people with different thoughts are different clients; the attitude is told apart by name.
    key = digest([intake, thought, sorted(traps)])[:8]
    try:
        profile = Profile(
            id="-".join(filter(None, ("cactus", slug, key, attitude))),
            personality=_personality(attitude, cell(form.get("attitude_instruction"))),
            distorted_thought=thought,
            thinking_traps=traps,
            cbt_plan=cell(form.get("cbt_plan")),
            **fields,
        )
    except ValueError as error:  # pydantic's own is one
        message = validation_message(error) if hasattr(error, "errors") else str(error)  # type: ignore[arg-type]
        gathering.problem(source, number, f"is not a profile: {message}")
        return
    profile_id = gathering.profile(profile, source, number)
    if dialogue := cell(form.get("dialogue")):
        parsed = parse_screenplay(
            dialogue, id=profile_id, profile_id=profile_id, client_names=(name,), source=source
        )
        for problem in parsed.problems:
            gathering.problem(source, number, f"dialogue line {problem.line}: {problem.message}")
        if parsed.screenplay.lines:
            technique = cell(form.get("cbt_technique"))
            gathering.screenplay(
                parsed.screenplay.model_copy(update={"technique": technique}), source, number
            )


def _personality(attitude: str, instruction: str) -> str:
    return " ".join(
        filter(None, (f"Attitude towards counseling: {attitude}." if attitude else "", instruction))
    )
