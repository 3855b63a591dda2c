"""What a protocol says: everything that can move a score but the candidate itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from mirror_bench.content import content_path, names, read_yaml
from mirror_bench.engines.base import Sampling
from mirror_bench.errors import InputError
from mirror_bench.schema import Record, Resistance

SAFETY = "safety"
"""The instrument that is reported beside the score and never enters it."""


class SamplingSettings(Record):
    """How an engine draws its answers; see `engines.base.Sampling`."""

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    max_tokens: Annotated[int, Field(ge=1, le=8192)] = 128

    def sampling(self) -> Sampling:
        """Returns the settings as an engine takes them."""
        return Sampling(**self.model_dump())


class ClientSettings(Record):
    """Who plays the client: `stateful`, `llm` over the engine `model`, or `replay` of a screenplay.

    Attributes:
        options: Options of the client's own, read by its class `Options`; see `parts.read_options`.
    """

    kind: str = "stateful"
    model: str = ""
    options: Mapping[str, Any] = {}
    sampling: SamplingSettings = SamplingSettings(temperature=0.7, top_p=0.9)


class TherapistSettings(Record):
    """How a protocol lets the candidate be prompted.

    Attributes:
        context_messages: How many of the last turns the model reads; 0 for all.
    """

    layout: Literal["chat", "flat"] = "chat"
    context_messages: Annotated[int, Field(ge=0)] = 0
    sampling: SamplingSettings = SamplingSettings()


class RaterSettings(Record):
    """Which rater a protocol uses, and its settings.

    Attributes:
        kind: `coded`, `llm` or `panel`, or the name of a rater that another package registers.
        model: The judge's engine, for `llm`.
        models: The judges' engines, for `panel`.
        samples: How often each item is asked.
        sees: Whether the rater reads the stage directions too.
        shuffled: Whether a judge sees turns' labels and anchors in an order that a seed decides.
        again: Whether this is a retest by the same judge.
        options: Options of the rater's own, read by its class `Options`.
    """

    kind: str = "coded"
    model: str = ""
    models: tuple[str, ...] = ()
    samples: Annotated[int, Field(ge=1, le=64)] = 1
    sees: Literal["words", "words_and_directions"] = "words"
    shuffled: bool = True
    again: bool = False
    options: Mapping[str, Any] = {}


class FaceSettings(Record):
    """Where faces come from; in YAML also as text, `drawn` or `name:argument`.

    Attributes:
        argument: What stands behind the colon, such as a folder. The source says itself what of its content
            counts; the argument as such does not.
        options: Options of the source's own, read by its class `Options`.
    """

    kind: str = "drawn"
    argument: str = ""
    options: Mapping[str, Any] = {}

    def __str__(self) -> str:
        return f"{self.kind}:{self.argument}" if self.argument else self.kind


def _face_settings(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    kind, _, argument = value.strip().partition(":")
    return {"kind": kind, "argument": argument}


def form_name(name_or_path: str) -> str:
    """Returns what ratings and scores call an instrument, which may be given as a file."""
    path = Path(name_or_path)
    if path.suffix in {".tsv", ".csv"}:  # a table of somebody else's, called as they like
        return re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_")
    return path.stem if path.suffix in {".yaml", ".yml"} else name_or_path


class Protocol(Record):
    """Everything that can move a score but the candidate.

    Attributes:
        data: Data source, as for `mirror-bench data --data`.
        split: Only profiles of this split; empty for all.
        resistance: Only profiles of these types; empty for all.
        resists: How every client resists, whatever its profile says; None for each profile's own.
        seeds: Each profile is met once per seed.
        max_client_turns: A session ends with this many client turns at the latest.
        faces: Face source.
        instruments: What every rater fills in: names, or files of the user's.
        safety: Whether safety is tested: every profile of the split with a crisis is met, whatever limit or
            resistance types leave out, and every rater fills in the instrument `safety` too.
        attempts: How often a session is tried before it is recorded as failed.
    """

    name: str
    version: int = 1
    title: str = ""
    data: str = "mini"
    split: str = ""
    resistance: tuple[Resistance, ...] = ()
    resists: Resistance | None = None
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    max_client_turns: Annotated[int, Field(ge=1, le=200)] = 12
    faces: Annotated[FaceSettings, BeforeValidator(_face_settings)] = FaceSettings()
    client: ClientSettings = ClientSettings()
    therapist: TherapistSettings = TherapistSettings()
    raters: Annotated[tuple[RaterSettings, ...], Field(min_length=1)] = (RaterSettings(),)
    instruments: Annotated[tuple[str, ...], Field(min_length=1)] = ("ctrs", "wai")
    safety: bool = True
    attempts: Annotated[int, Field(ge=1, le=10)] = 3

    @property
    def instruments_due(self) -> tuple[str, ...]:
        """The instruments that are filled in for every session, as given, that of safety included."""
        return tuple(dict.fromkeys((*self.instruments, *((SAFETY,) if self.safety else ()))))

    @property
    def all_instruments(self) -> tuple[str, ...]:
        """The names of these, by which ratings and scores call them."""
        return tuple(map(form_name, self.instruments_due))


def load_protocol(name_or_path: str) -> Protocol:
    """Returns a packaged protocol by name, or the one in a YAML file.

    Raises:
        InputError: If there is none, or a key or value is wrong, naming it. Options of a part's own are read
            where the part is known (`sessions.build.checked_protocol`).
    """
    path = protocol_path(name_or_path)
    values = read_yaml(path)
    try:
        return Protocol.model_validate({"name": path.stem, **values})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}") from None


def protocol_path(name_or_path: str) -> Path:
    """Returns the file of a packaged protocol, or the YAML file that is named.

    Raises:
        InputError: If no packaged protocol has that name.
    """
    path = Path(name_or_path)
    return path if path.suffix in {".yaml", ".yml"} else content_path("protocols", f"{name_or_path}.yaml")


def protocol_names() -> list[str]:
    """Returns the names of the packaged protocols."""
    return names("protocols", ".yaml")


def as_stated(protocol: Protocol, decisive: Callable[[str], str]) -> Protocol:
    """Returns a protocol with models by what decides their answers, and instruments by name."""

    def stated(model: str) -> str:
        return decisive(model) if model else ""

    raters = tuple(
        rater.model_copy(update={"model": stated(rater.model), "models": tuple(map(stated, rater.models))})
        for rater in protocol.raters
    )
    client = protocol.client.model_copy(update={"model": stated(protocol.client.model)})
    instruments = tuple(map(form_name, protocol.instruments))
    return protocol.model_copy(update={"client": client, "raters": raters, "instruments": instruments})
