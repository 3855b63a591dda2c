"""What a run is to be, out of the choices of a command line or of a call from Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mirror_bench.clients import CLIENTS
from mirror_bench.errors import InputError, did_you_mean
from mirror_bench.keys import redact
from mirror_bench.modelspec import parse_model
from mirror_bench.protocol import FaceSettings, Protocol, RaterSettings, form_name
from mirror_bench.raters import RATERS
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.schema import FaceCondition, Resistance
from mirror_bench.sessions.candidate import Candidate
from mirror_bench.sessions.standing import checked_protocol

CONDITIONS = ("matched", "none", "neutral", "shuffled", "incongruent")
Spelling = Callable[[str], str]
"""Turns the name of a choice into what a message calls it."""


def as_option(name: str) -> str:
    """Returns a choice as a command line spells it, such as "--judge"."""
    return f"--{name}"


def chosen_protocol(
    protocol: str | Protocol,
    *,
    data: str = "",
    faces: str = "",
    split: str | None = None,
    client: str = "",
    judge: Sequence[str] = (),
    panel: bool = False,
    samples: int = 1,
    instrument: Sequence[str] = (),
    add_instrument: Sequence[str] = (),
    seeds: Sequence[int] = (),
    max_client_turns: int | None = None,
    safety: bool | None = None,
    resistance: str = "",
    spelt: Spelling = as_option,
) -> Protocol:
    """Returns a protocol with what the choices change in it.

    Args:
        protocol: A packaged one's name, a YAML file, or the protocol itself.
        data: Another data source; its profiles count whatever their split, unless `split` is given.
        faces: Another face source: `drawn`, or `set:FOLDER` for a prepared set of images.
        split: Only profiles of this split; "" for all.
        client: A kind of client, or the model that plays it.
        judge: Who rates; see `judge_settings`.
        panel: Whether the models among them also make up a panel.
        samples: Answers per item of a model.
        instrument: Take the place of the protocol's; with a plus sign, stand beside them.
        add_instrument: Stand beside them.
        seeds: Each profile is met once per seed.
        max_client_turns: A session ends with this many client turns at the latest.
        safety: Whether safety is tested.
        resistance: How every client resists, whatever its profile says.
        spelt: How messages spell a choice.

    Raises:
        InputError: If a choice names what does not exist.
    """
    base = protocol if isinstance(protocol, Protocol) else checked_protocol(protocol)
    changes: dict[str, Any] = {}
    if data:
        changes |= {"data": data} | ({"split": ""} if data != "mini" else {})
    if faces:
        kind, _, folder = faces.partition(":")
        # A run can be resumed from anywhere.
        lies = str(Path(folder).expanduser().resolve()) if folder else ""
        changes["faces"] = FaceSettings(kind=kind, argument=lies)
    if split is not None:
        changes["split"] = split
    if client:
        model = "" if client in CLIENTS else _model(client, spelt("client"), CLIENTS.names())
        played: dict[str, Any] = {"kind": "llm" if model else client, "model": model}
        if played["kind"] != base.client.kind:
            played["options"] = {}  # they are another client's
        changes["client"] = base.client.model_copy(update=played)
    if judge or panel:
        changes["raters"] = judge_settings(judge, samples, panel=panel, spelt=spelt)
    if instrument or add_instrument:
        changes["instruments"] = chosen_instruments(instrument, add_instrument, base.instruments)
        for name in changes["instruments"]:
            load_instrument(name)
    if seeds:
        changes["seeds"] = tuple(dict.fromkeys(seeds))
    if max_client_turns is not None:
        changes["max_client_turns"] = max_client_turns
    if safety is not None:
        changes["safety"] = safety
    if resistance:
        if resistance not in tuple(Resistance):
            known = ", ".join(Resistance)
            raise InputError(f"{spelt('resistance')}: no type {resistance!r}: known are {known}")
        changes["resists"] = Resistance(resistance)
    return base.model_copy(update=changes)


def judge_settings(
    judges: Sequence[str], samples: int = 1, *, panel: bool = False, spelt: Spelling = as_option
) -> tuple[RaterSettings, ...]:
    """Returns raters by name, in their order: the coded rater, one of another package, or models as judges.

    Args:
        judges: Names.
        samples: How often a model is asked for each item.
        panel: Whether the models also make up a panel, which comes last.
        spelt: How messages spell a choice.

    Raises:
        InputError: If one is neither a rater's name nor of the form provider/name, or a panel has fewer than
            two models.
    """
    raters = []
    for judge in judges:
        if judge in RATERS and judge not in {"llm", "panel"}:
            raters.append(RaterSettings(kind=judge))
        else:
            model = _model(judge, spelt("judge"), RATERS.names())
            raters.append(RaterSettings(kind="llm", model=model, samples=samples))
    if panel:
        models = tuple(dict.fromkeys(rater.model for rater in raters if rater.model))
        if len(models) < 2:
            wanted = f"{spelt('panel')} needs at least two different models"
            raise InputError(f"{wanted}: give {spelt('judge')} a MODEL once for each")
        raters.append(RaterSettings(kind="panel", models=models, samples=samples))
    return tuple(raters)


def _model(name: str, role: str, parts: Sequence[str]) -> str:
    """Returns a model's name, or says that neither a part nor a model is named so."""
    if "/" in name or ":" in name:  # a model, or code of one's own, of which that says how it is written
        return str(parse_model(name, role))
    known = [part for part in parts if part not in {"llm", "panel"}]  # these name no model
    hint = did_you_mean(name, known)
    raise InputError(
        f"{role} {redact(name)!r}: {hint}known are {', '.join(known)}, or a model as provider/name; one of "
        "your own needs its package installed, with an entry point of this name"
    )


def chosen_instruments(given: Sequence[str], added: Sequence[str], own: Sequence[str]) -> tuple[str, ...]:
    """Returns the instruments of a choice, each a name or a file; of one name, the last.

    Args:
        given: Take the place of `own`, but for those that begin with a plus sign, which come beside them.
        added: Come beside them.
        own: The protocol's.
    """
    replacing = [name for name in given if not name.startswith("+")]
    beside = [name[1:] for name in given if name.startswith("+")]
    return tuple({form_name(form): form for form in (*(replacing or own), *beside, *added)}.values())


def chosen_conditions(names: Sequence[str], spelt: Spelling = as_option) -> tuple[FaceCondition, ...]:
    """Returns face conditions by name; "all" alone for all of them.

    Raises:
        InputError: If one does not exist.
    """
    wanted = CONDITIONS if [name.strip() for name in names] == ["all"] else [name.strip() for name in names]
    for name in wanted:
        if name not in CONDITIONS:
            where = spelt("face-conditions")
            raise InputError(f"{where}: no condition {name!r}: known are all, {', '.join(CONDITIONS)}")
    return tuple(FaceCondition(name) for name in dict.fromkeys(wanted))


def usual_folder(candidate: Candidate, protocol: Protocol) -> Path:
    """Returns where a run is kept that is given no folder, such as runs/scripted-attuned-offline."""
    text = f"{candidate.name} {candidate.method} {protocol.name}".lower()
    return Path("runs") / re.sub(r"[^a-z0-9.+]+", "-", text).strip("-.")[:80]
