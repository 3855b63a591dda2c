"""The candidate: which therapist a run evaluates, and how it wants to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mirror_bench.engines.base import Engine
from mirror_bench.engines.checkpoints import decisive_name
from mirror_bench.errors import InputError
from mirror_bench.modelspec import ModelSpec, parse_model
from mirror_bench.parts import StandsOn, ask_stands_on
from mirror_bench.protocol import TherapistSettings, identity
from mirror_bench.schema import Scenario
from mirror_bench.therapists import SCRIPTED, scripted_stands_on
from mirror_bench.therapists.base import Therapist
from mirror_bench.therapists.cheating import cheating, load_cheat
from mirror_bench.therapists.cheating import stands_on as cheat_stands_on
from mirror_bench.therapists.methods import METHODS, Asking, TherapistMethod


@dataclass(frozen=True)
class Candidate:
    """A therapist to evaluate.

    Attributes:
        model: Its name; its options are the engine's.
        method: How it is prompted; empty for scripted therapists.
        context_messages: How many of the last turns it wants to read, where fewer than the protocol
            allows; 0 for what the protocol allows.
        label: What tables and records call it.
    """

    model: ModelSpec
    method: str = ""
    context_messages: int = 0
    label: str = ""

    @property
    def scripted(self) -> bool:
        """Whether it is a scripted therapist rather than a model behind an engine."""
        return self.model.provider == "cheat" or (
            self.model.provider == "scripted" and self.model.name in SCRIPTED
        )

    @property
    def name(self) -> str:
        """The name in records: the label, or the model without its options."""
        return self.label or f"{self.model.provider}/{self.model.name}"

    def settings(self, allowed: TherapistSettings | None = None) -> Mapping[str, str]:
        """Returns what identifies the candidate in `run.json`; a checkpoint by its content.

        Args:
            allowed: How the protocol lets it be asked.

        Raises:
            InputError: If the candidate's method is another package's and does not say what it stands on.
        """
        values = {"therapist": self.name, "model": decisive_name(self.model, set()), "method": self.method}
        if self.context_messages:
            values["context_messages"] = str(self.context_messages)
        if own := self.stands_on(allowed or TherapistSettings()):
            values["stands_on"] = identity(own)
        return values

    def stands_on(self, allowed: TherapistSettings) -> StandsOn | None:
        """Returns what decides what the candidate says and no protocol covers, or None where nothing does.

        That is a scripted therapist's phrases and code, and a method of another package. A packaged method is
        covered by the protocol's fingerprint.

        Raises:
            InputError: If a method of another package does not say what it stands on.
        """
        if self.model.provider == "cheat":
            return cheat_stands_on(self.model.name)
        if self.scripted:
            return scripted_stands_on(self.model.name)
        if self.method in METHODS.packaged():
            return None
        return ask_stands_on("method", self.method, METHODS.get(self.method), allowed)


def read_candidate(therapist: str, method: str = "", context_messages: int = 0, label: str = "") -> Candidate:
    """Returns the candidate of a command line.

    Raises:
        InputError: If the name or the method is unknown, or a scripted therapist is given a method.
    """
    model = parse_model(therapist, "--therapist")
    candidate = Candidate(model, method, context_messages, label)
    if not candidate.scripted:
        candidate = replace(candidate, method=method or "direct")
        METHODS.get(candidate.method)
    elif method or context_messages or model.options:
        raise InputError(f"{therapist} is a scripted therapist: it takes no --method, --context or options")
    elif model.provider == "cheat":
        load_cheat(model.name)
    return candidate


def open_therapist(
    candidate: Candidate, scenario: Scenario, engine: Engine | None, allowed: TherapistSettings
) -> Therapist:
    """Returns the candidate in one session.

    Args:
        candidate: Who.
        scenario: With whom.
        engine: Answers for the candidate; None for scripted therapists.
        allowed: What the protocol lets a candidate read.
    """
    if engine is None:
        name = candidate.model.name
        make = cheating(name) if candidate.model.provider == "cheat" else SCRIPTED.get(name)
        therapist: Therapist = make(scenario)
        return therapist
    wanted, most = candidate.context_messages, allowed.context_messages
    context = min(wanted, most) if wanted and most else wanted or most
    asking = Asking(allowed.sampling.sampling(), context, allowed.layout)
    method: TherapistMethod = METHODS.get(candidate.method)
    return method.therapist(scenario, engine, asking)
