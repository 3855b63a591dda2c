"""A protocol is all that can move a score but the candidate itself; its fingerprint stands for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from mirror_bench.content import content_path, names, read_yaml, tasks_root
from mirror_bench.engines.base import Sampling
from mirror_bench.errors import InputError
from mirror_bench.schema import Record, Resistance, digest

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
    """Who plays the client: `stateful`, `llm` over the engine `model`, or `replay` of a screenplay."""

    kind: str = "stateful"
    model: str = ""
    sampling: SamplingSettings = SamplingSettings(temperature=0.7, top_p=0.9)


class TherapistSettings(Record):
    """How the candidate may be asked.

    Attributes:
        context_messages: How many of the last turns the model reads; 0 for all.
    """

    layout: Literal["chat", "flat"] = "chat"
    context_messages: Annotated[int, Field(ge=0)] = 0
    sampling: SamplingSettings = SamplingSettings()


class RaterSettings(Record):
    """One rater of the protocol.

    Attributes:
        kind: `coded`, `llm` or `panel`, or the name of a rater that another package registers.
        model: The judge's engine, for `llm`.
        models: The judges' engines, for `panel`.
        samples: How often each item is asked.
        sees: Whether the rater reads the stage directions too.
        shuffled: Whether a judge sees turns' labels and anchors in an order that a seed decides.
        again: Whether this is a retest by the same judge.
    """

    kind: str = "coded"
    model: str = ""
    models: tuple[str, ...] = ()
    samples: Annotated[int, Field(ge=1, le=64)] = 1
    sees: Literal["words", "words_and_directions"] = "words"
    shuffled: bool = True
    again: bool = False


def form_name(name_or_path: str) -> str:
    """Returns what ratings and scores call an instrument, which may be given as a file."""
    path = Path(name_or_path)
    return path.stem if path.suffix in {".yaml", ".yml"} else name_or_path


class Protocol(Record):
    """Everything that can move a score but the candidate.

    Attributes:
        data: Data source, as for `mirror-bench data --data`.
        split: Only profiles of this split; empty for all.
        resistance: Only these types; empty for each profile's own.
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
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    max_client_turns: Annotated[int, Field(ge=1, le=200)] = 12
    faces: str = "drawn"
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
    def forms(self) -> tuple[str, ...]:
        """The names of these, by which ratings and scores call them."""
        return tuple(map(form_name, self.instruments_due))


def load_protocol(name_or_path: str) -> Protocol:
    """Returns a packaged protocol by name, or the one in a YAML file.

    Raises:
        InputError: If there is none, or a key or value is wrong, naming it.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        path = content_path("protocols", f"{name_or_path}.yaml")
    values = read_yaml(path)
    try:
        return Protocol.model_validate({"name": path.stem, **values})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}") from None


def protocol_names() -> list[str]:
    """Returns the names of the packaged protocols."""
    return names("protocols", ".yaml")


class Fingerprint(NamedTuple):
    """What a protocol stands on.

    Attributes:
        value: SHA-256 over all parts.
        parts: Part ("parameters.max_client_turns", "prompts/therapist_system.jinja", "data") -> its value
            or digest, so that a difference can be named.
    """

    value: str
    parts: Mapping[str, Any]

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """Returns, in words, which parts differ from `other`'s."""
        found = []
        for key in sorted({*self.parts, *other}):
            mine, theirs = self.parts.get(key, "absent"), other.get(key, "absent")
            if mine != theirs:
                shown = "changed" if _is_digest(mine) and _is_digest(theirs) else f"{theirs} -> {mine}"
                found.append(f"{key} ({shown})")
        return found


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 64


def fingerprint(
    protocol: Protocol,
    data_digest: str,
    versions: Mapping[str, str],
    decisive: Callable[[str], str] = str,
) -> Fingerprint:
    """Returns the fingerprint of a protocol with the content it uses.

    Args:
        protocol: The protocol.
        data_digest: Digest of the data source's content.
        versions: Name -> version of the code that can move a score (face source, client, raters).
        decisive: Turns a model's name into what decides its answers, without the address of its server.
    """
    stated = as_stated(protocol, decisive)
    parameters = _flat(stated.model_dump(mode="json", exclude={"name", "title"}), "parameters")
    content = {
        str(path.relative_to(tasks_root()).as_posix()): _content_digest(path) for path in _used(protocol)
    }
    for name in protocol.instruments:
        if (form := form_name(name)) != name:  # a file of the user's
            content[f"instruments/{form}.yaml"] = _content_digest(Path(name).expanduser())
    parts = parameters | content | {"data": data_digest}
    parts |= {f"code.{name}": version for name, version in versions.items()}
    return Fingerprint(digest(parts), parts)


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


def _flat(value: Any, prefix: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    return {key: leaf for name in value for key, leaf in _flat(value[name], f"{prefix}.{name}").items()}


def _used(protocol: Protocol) -> list[Path]:
    """The content that can move a score under this protocol."""
    root = tasks_root()
    prefixes = ["therapist_"]
    folders = ["faces"]
    if protocol.client.kind == "llm":
        prefixes.append("client")
    if protocol.client.kind == "stateful":
        folders += ["clients", "behaviours"]
    if any(rater.kind == "llm" for rater in protocol.raters):
        prefixes.append("judge_")
    if any(rater.kind == "coded" for rater in protocol.raters):
        folders.append("behaviours")
    found = {path for prefix in prefixes for path in (root / "prompts").glob(f"{prefix}*.jinja")}
    found |= {path for folder in folders for path in (root / folder).rglob("*.yaml")}
    found |= {
        content_path("instruments", f"{name}.yaml")
        for name in protocol.instruments_due
        if form_name(name) == name
    }
    found.add(content_path("techniques.yaml"))
    return sorted(found)


def _content_digest(path: Path) -> str:
    """A prompt counts to the letter; of YAML the values count, not key order or blanks."""
    if path.suffix == ".yaml":
        return digest(_with_text_keys(read_yaml(path)))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _with_text_keys(value: Any) -> Any:
    """YAML may key by number (action units) and by word in one mapping, which cannot be sorted."""
    if isinstance(value, dict):
        return {str(key): _with_text_keys(each) for key, each in value.items()}
    return [_with_text_keys(each) for each in value] if isinstance(value, list) else value
