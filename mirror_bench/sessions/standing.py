"""What a protocol stands on: asks each of its parts, and composes the fingerprint of their answers."""

from __future__ import annotations

from collections.abc import Mapping

from mirror_bench.clients import CLIENTS
from mirror_bench.coding import attunement
from mirror_bench.data import scenarios
from mirror_bench.data.base import DataSet
from mirror_bench.data.sources.registry import load_data
from mirror_bench.faces import FACE_SOURCES, presenter
from mirror_bench.faces.factory import open_faces
from mirror_bench.parts import Declared, StandsOn, ask_stands_on, deciding, read_options
from mirror_bench.protocol import (
    Fingerprint,
    Protocol,
    fingerprint,
    fingerprint_parts,
    load_protocol,
    protocol_path,
)
from mirror_bench.raters import RATERS
from mirror_bench.raters.instruments import instruments_stand_on
from mirror_bench.sessions import counterfactual_turns
from mirror_bench.sessions import session as dialogue
from mirror_bench.sessions.engine_pool import rater_needs
from mirror_bench.therapists.methods import METHODS


def protocol_fingerprint(protocol: Protocol, data: DataSet | None = None) -> Fingerprint:
    """Returns the fingerprint of a protocol, loading its data where not given.

    Raises:
        InputError: If a part does not exist, declares nothing, or an option of its own is wrong.
    """
    data = data or load_data(protocol.data)
    return fingerprint(protocol, data.digest, declared(protocol))


def parts_of_ratings(protocol: Protocol) -> frozenset[str]:
    """Returns the parts of a protocol's fingerprint that move ratings alone, and no session.

    Raises:
        InputError: As `protocol_fingerprint`.
    """
    parts = declared(protocol)
    return parts_below_ratings(protocol) - fingerprint_parts(
        {role: part for role, part in parts.items() if not _of_ratings(role)}
    )


def parts_that_replays_tell(protocol: Protocol) -> frozenset[str]:
    """Returns the parts that move a session only through its client: whether they do, a replay tells.

    Raises:
        InputError: As `protocol_fingerprint`.
    """
    parts = declared(protocol)
    fixed = {role: part for role, part in parts.items() if role in ("faces", "therapist")}
    fixed["session"] = Declared(scenarios.stands_on() | dialogue.stands_on() | presenter.stands_on())
    return fingerprint_parts(parts) - fingerprint_parts(fixed)


def parts_below_ratings(protocol: Protocol) -> frozenset[str]:
    """Returns the parts of a protocol's fingerprint that its ratings stand on, sessions or not.

    Raises:
        InputError: As `protocol_fingerprint`.
    """
    parts = declared(protocol)
    return fingerprint_parts({role: part for role, part in parts.items() if _of_ratings(role)})


def _of_ratings(role: str) -> bool:
    return role == "instruments" or role.startswith("raters.")


def checked_protocol(name_or_path: str) -> Protocol:
    """Returns a protocol, packaged or in a YAML file, with the options of its parts read by those parts.

    Raises:
        InputError: If a key, a part or an option is wrong, naming file and key.
    """
    protocol = load_protocol(name_or_path)
    declared(protocol, f"{protocol_path(name_or_path)}: ")
    return protocol


def declared(protocol: Protocol, where: str = "") -> Mapping[str, Declared]:
    """Returns the content, code and options that each part of a protocol stands on, by its role.

    Args:
        protocol: The protocol.
        where: Stands before the key in messages about options ("mine.yaml: ").

    Raises:
        InputError: If a part does not exist, declares nothing, or an option of its own is wrong.
    """
    found = {
        "instruments": Declared(instruments_stand_on(protocol.instruments_due)),
        "client": _client(protocol, where),
    }
    if not getattr(CLIENTS.get(protocol.client.kind), "recorded", False):
        found |= {
            "session": Declared(_session()),
            "faces": _faces(protocol, where),
            "therapist": Declared(_methods(protocol)),
        }
    for number, chosen in enumerate(protocol.raters):
        role = f"raters.{number}"
        kind = RATERS.get(chosen.kind)
        needs = rater_needs(chosen, where=f"{where}{role}")
        stands_on = ask_stands_on("rater", chosen.kind, kind, chosen, needs)
        found[role] = Declared(stands_on, deciding(needs.options))
    return found


def _session() -> StandsOn:
    return (
        scenarios.stands_on()
        | dialogue.stands_on()
        | presenter.stands_on()
        | counterfactual_turns.stands_on()
        | attunement.stands_on()
    )


def _client(protocol: Protocol, where: str) -> Declared:
    chosen = protocol.client
    kind = CLIENTS.get(chosen.kind)
    options = read_options(kind, chosen.options, f"{where}client.options")
    return Declared(ask_stands_on("client", chosen.kind, kind, chosen), deciding(options))


def _faces(protocol: Protocol, where: str) -> Declared:
    chosen = protocol.faces
    options = read_options(FACE_SOURCES.get(chosen.kind), chosen.options, f"{where}faces.options")
    source = open_faces(chosen.kind, chosen.argument, chosen.options)
    return Declared(ask_stands_on("face source", chosen.kind, source), deciding(options))


def _methods(protocol: Protocol) -> StandsOn:
    """What the packaged methods stand on, all of them: methods are compared under one protocol."""
    found = StandsOn()
    for name in METHODS.packaged():
        found |= ask_stands_on("method", name, METHODS.get(name), protocol.therapist)
    return found
