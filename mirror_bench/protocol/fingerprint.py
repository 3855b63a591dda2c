"""The fingerprint of a protocol: composed of what its parts declare, without knowing any of them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.content import content_path, read_yaml
from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.factory import model_identity
from mirror_bench.errors import InputError
from mirror_bench.parts import Declared, StandsOn
from mirror_bench.protocol.settings import Protocol, form_name
from mirror_bench.schema import digest

# What a part declares in its own words: a model by what decides its answers, options as the part reads them.
_DECLARED = {"model", "models", "options"}


class Fingerprint(NamedTuple):
    """A digest of everything that can move a protocol's scores, and the parts that it is made from.

    Attributes:
        value: SHA-256 over all parts.
        parts: Part ("parameters.max_client_turns", "prompts/therapist_system.jinja", "data",
            "code.client.llm", "models.raters.0") -> its value or digest, so that a difference can be named.
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


def fingerprint(protocol: Protocol, data_digest: str, declared: Mapping[str, Declared]) -> Fingerprint:
    """Returns the fingerprint of a protocol.

    Args:
        protocol: The protocol.
        data_digest: Digest of the data source's content.
        declared: Role ("client", "raters.0", "faces", "session") -> what the part in it declares.

    Raises:
        InputError: If a part stands on something that is not there.
    """
    parts = _parameters(protocol) | {"data": data_digest} | _composed(declared)
    return Fingerprint(digest(parts), parts)


def fingerprint_parts(declared: Mapping[str, Declared]) -> frozenset[str]:
    """Returns the names of the parts of a fingerprint that these roles bring into it."""
    return frozenset(_composed(declared))


def _composed(declared: Mapping[str, Declared]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    together = StandsOn()
    for role, part in declared.items():
        together |= part.stands_on
        parts |= _flat(dict(part.options), f"parameters.{role}.options") if part.options else {}
        if part.stands_on.models:
            parts[f"models.{role}"] = ", ".join(model_identity(name) for name in part.stands_on.models)
    return parts | _content(together)


def identity(stands_on: StandsOn) -> str:
    """Returns 12 hex digits over everything that a part stands on: what tells two states of it apart.

    Raises:
        InputError: If it stands on something that is not there.
    """
    models = {f"models.{number}": model_identity(name) for number, name in enumerate(stands_on.models)}
    return digest(_content(stands_on) | models)[:12]


def _parameters(protocol: Protocol) -> dict[str, Any]:
    """The settings themselves. Data and faces count by their content, wherever that lies."""
    values = protocol.model_dump(mode="json", exclude={"name", "title"})
    if values["resists"] is None:
        del values["resists"]  # nothing is said, and nothing was in older folders
    values["data"] = protocol.data.partition(":")[0]
    values["instruments"] = list(map(form_name, protocol.instruments))
    del values["faces"]["argument"]
    values["raters"] = {str(place): rater for place, rater in enumerate(values["raters"])}
    for settings in (values["client"], values["faces"], *values["raters"].values()):
        for key in _DECLARED & settings.keys():
            del settings[key]
    return _flat(values, "parameters")


def _content(stands_on: StandsOn) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: _content_digest(content_path(*name.split("/"))) for name in stands_on.content
    }
    found |= {f"files.{name}": _file_digest(name, path) for name, path in stands_on.files.items()}
    found |= {f"data.{source}": load_data(source).digest for source in stands_on.data}
    return found | {f"code.{name}": version for name, version in stands_on.versions.items()}


def _flat(value: Any, prefix: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    return {key: leaf for name in value for key, leaf in _flat(value[name], f"{prefix}.{name}").items()}


def _file_digest(name: str, path: Path) -> str:
    """The digest of a file, or of all files below a folder with their places in it."""
    if not path.exists():
        raise InputError(f"{path}: is not there, and the protocol stands on it ({name}); restore it")
    if path.is_file():
        return _content_digest(path)
    inside = sorted(file for file in path.rglob("*") if file.is_file())
    return digest(
        {file.relative_to(path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in inside}
    )


def _content_digest(path: Path) -> str:
    """A prompt counts to the letter; of YAML the values count, not key order or blanks."""
    content = path.read_bytes()
    if path.suffix in {".yaml", ".yml"}:
        return _yaml_digest(content, path)
    return hashlib.sha256(content).hexdigest()


@functools.lru_cache(maxsize=256)
def _yaml_digest(content: bytes, path: Path) -> str:
    """Remembered by the content itself, since large files are slow to read as YAML."""
    return digest(_with_text_keys(read_yaml(path)))


def _with_text_keys(value: Any) -> Any:
    """YAML may key by number (action units) and by word in one mapping, which cannot be sorted."""
    if isinstance(value, dict):
        return {str(key): _with_text_keys(each) for key, each in value.items()}
    return [_with_text_keys(each) for each in value] if isinstance(value, list) else value
