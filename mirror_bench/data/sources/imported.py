"""The people of an imported run, and what they said: to be met again by another therapist."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from mirror_bench.data.base import DataSet
from mirror_bench.data.screenplays.records import Line, Screenplay
from mirror_bench.data.sources.record_collector import Gathering
from mirror_bench.errors import InputError
from mirror_bench.files import guarded
from mirror_bench.schema import Profile, Session

PROFILES, SESSIONS = "profiles.jsonl", "sessions.jsonl"


def load_imported(argument: str, *, screenplays: bool = True) -> DataSet:
    """Loads the people of a run that `mirror-bench import` made.

    Args:
        argument: The run folder.
        screenplays: Whether their sessions are read as screenplays too, which the client `replay` says again.

    Raises:
        InputError: If it is no such folder, or a record in it is damaged.
    """
    folder = Path(argument).expanduser()
    path = folder / PROFILES
    if not argument or not path.is_file():
        raise InputError(
            f"imported:{argument}: is no imported run (it has no {PROFILES}): make one with "
            "mirror-bench import"
        )
    gathering = Gathering()
    with guarded(path), path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                gathering.profile(Profile.model_validate_json(line), path.name, number)
            except ValidationError as error:
                raise InputError(f"{path}:{number}: is no profile ({error.errors()[0]['msg']})") from None
    sessions = folder / SESSIONS
    if screenplays:
        with guarded(sessions), sessions.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    held = Session.model_validate_json(line)
                except ValidationError as error:
                    raise InputError(
                        f"{sessions}:{number}: is no session ({error.errors()[0]['msg']})"
                    ) from None
                gathering.screenplay(_screenplay(held), sessions.name, number)
    return gathering.finish(f"imported:{argument}")


def _screenplay(session: Session) -> Screenplay:
    return Screenplay(
        id=session.pair.replace(":", "-"),
        profile_id=session.profile_id,
        resistance=session.resistance,
        lines=tuple(
            Line(
                speaker=turn.speaker,
                words=turn.words,
                directions=(turn.direction,) if turn.direction else (),
            )
            for turn in session.turns
        ),
    )
