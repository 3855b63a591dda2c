"""The candidate: which therapist a run evaluates, and how it wants to be asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from mirror_bench.engines.base import Engine
from mirror_bench.engines.factory import engine_name
from mirror_bench.engines.scripted import NAMES as SCRIPTED_ENGINES
from mirror_bench.errors import InputError, told
from mirror_bench.modelspec import ModelSpec, parse_model
from mirror_bench.parts import ask_stands_on
from mirror_bench.protocol import TherapistSettings, identity
from mirror_bench.schema import Scenario
from mirror_bench.sessions.run_header import RunCandidate
from mirror_bench.therapists import SCRIPTED
from mirror_bench.therapists.base import Therapist
from mirror_bench.therapists.cheats import cheating, load_cheat
from mirror_bench.therapists.guarding import Guarded, refuse_wrong_shape
from mirror_bench.therapists.methods import METHODS, Asking, TherapistMethod
from mirror_bench.therapists.own_code import OwnCode, OwnTherapist, load_own_code, own_code_of
from mirror_bench.therapists.source_digest import digest_of_scripted


@dataclass(frozen=True)
class Candidate:
    """The therapist under evaluation: its model, and the method by which it is prompted.

    Attributes:
        model: Its name; its options are the engine's.
        method: How it is prompted; empty for scripted therapists.
        context_messages: How many of the last turns it wants to read, where fewer than the protocol
            allows; 0 for what the protocol allows.
        label: What tables and records call it.
        given: The user's own code, where it is handed over rather than named.
    """

    model: ModelSpec
    method: str = ""
    context_messages: int = 0
    label: str = ""
    given: OwnCode | None = field(default=None, compare=False)

    @property
    def scripted(self) -> bool:
        """Whether it is a scripted therapist rather than a model behind an engine or code of the user's."""
        return self.model.provider == "cheat" or (
            self.model.provider == "scripted" and self.model.name in SCRIPTED
        )

    @property
    def own_code(self) -> bool:
        """Whether it is code of the user's: `python/module:attribute`."""
        return self.model.provider == "python"

    @property
    def asks_engine(self) -> bool:
        """Whether a model behind an engine answers."""
        return not (self.scripted or self.own_code)

    def load(self) -> OwnCode:
        """Returns the user's own code.

        Raises:
            InputError: If it cannot be loaded.
        """
        return self.given or load_own_code(self.model.name)

    @property
    def name(self) -> str:
        """The name in records: the label, or the model without its options."""
        return self.label or f"{self.model.provider}/{self.model.name}"

    def recorded(self, allowed: TherapistSettings | None = None) -> RunCandidate:
        """Returns what identifies the candidate in `run.json`: a checkpoint and code by their content.

        A packaged method is covered by the protocol's fingerprint; a method of another package stands here.

        Args:
            allowed: How the protocol lets it be asked.

        Raises:
            InputError: If it cannot be loaded, or a method of another package does not say what it stands on.
        """
        method_code, code, sees = "", "", None
        if self.asks_engine and not METHODS.is_builtin(self.method):
            method = METHODS.get(self.method)
            own = ask_stands_on("method", self.method, method, allowed or TherapistSettings())
            method_code = identity(own)
        if self.scripted:
            code = digest_of_scripted(self.model.provider, self.model.name)
        if self.own_code:
            loaded = self.load()
            code, sees = loaded.digest, loaded.sees
        return RunCandidate(
            therapist=self.name,
            model=engine_name(str(self.model)) if self.asks_engine else str(self.model),
            method=self.method,
            context_messages=self.context_messages,
            method_code=method_code,
            code=code,
            sees=sees,
        )


def read_candidate(therapist: str, method: str = "", context_messages: int = 0, label: str = "") -> Candidate:
    """Returns the candidate of a command line; code of the user's is not loaded yet.

    Raises:
        InputError: If the name or the method is unknown, or a scripted therapist is given a method.
    """
    model = parse_model(therapist, "--therapist")
    candidate = Candidate(model, method, context_messages, label)
    if candidate.asks_engine:
        if model.provider == "scripted" and model.name not in SCRIPTED_ENGINES:
            SCRIPTED.get(model.name)  # says which therapists there are
        candidate = replace(candidate, method=method or "direct")
        METHODS.get(candidate.method)
    elif method or context_messages or model.options:
        kind = "code of your own" if candidate.own_code else "a scripted therapist"
        raise InputError(f"{therapist} is {kind}: it takes no --method, --context or options")
    elif model.provider == "cheat":
        load_cheat(model.name)
    return candidate


def own_candidate(therapist: Any, label: str = "") -> Candidate:
    """Returns the candidate that an object, function, factory or class of the caller's is.

    Raises:
        InputError: If it has not the shape of a therapist, saying what was expected.
    """
    code = own_code_of(therapist)
    return Candidate(ModelSpec("python", code.name), label=label, given=code)


def open_therapist(
    candidate: Candidate, scenario: Scenario, engine: Engine | None, allowed: TherapistSettings
) -> Therapist:
    """Returns the candidate as a therapist of one session.

    Args:
        candidate: Who.
        scenario: With whom.
        engine: Answers for the candidate; None for scripted therapists.
        allowed: What the protocol lets a candidate read.
    """
    if candidate.own_code:
        return OwnTherapist(candidate.load(), scenario)
    if engine is None:
        name = candidate.model.name
        if candidate.model.provider == "cheat":
            return cheating(name)(scenario)
        made: Therapist = SCRIPTED.get(name)(scenario)
        return made if SCRIPTED.is_builtin(name) else Guarded(made, name)
    wanted, most = candidate.context_messages, allowed.context_messages
    context = min(wanted, most) if wanted and most else wanted or most
    asking = Asking(allowed.sampling.sampling(), context, allowed.layout)
    method: TherapistMethod = METHODS.get(candidate.method)
    return method.therapist(scenario, engine, asking)


def refuse_unfit(candidate: Candidate, scenario: Scenario) -> None:
    """Opens a therapist of another package once, so that a wrong shape is found before any session.

    Raises:
        InputError: If it cannot be made, or lacks what a therapist has.
    """
    name = candidate.model.name
    if candidate.model.provider != "scripted" or not candidate.scripted or SCRIPTED.is_builtin(name):
        return
    try:
        made = SCRIPTED.get(name)(scenario)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(
            f"scripted/{name}: cannot be made for a scenario: {told(error)}: expected is a class whose "
            "constructor takes a Scenario (docs/agents.md)"
        ) from None
    refuse_wrong_shape(made, name)
