"""Who plays in a run: client and therapist, opened for each scenario from a protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mirror_bench.clients import CLIENTS
from mirror_bench.clients.base import ClientKind, ClientNeeds
from mirror_bench.data.base import DataSet
from mirror_bench.engines.base import Engine
from mirror_bench.engines.factory import engine_name
from mirror_bench.errors import InputError
from mirror_bench.parts import read_options
from mirror_bench.protocol import Protocol
from mirror_bench.schema import Scenario, Session, Turn
from mirror_bench.sessions.candidate import Candidate, open_therapist, refuse_unfit
from mirror_bench.sessions.counterfactual_turns import ReopenedTherapist, UnrememberedEngine
from mirror_bench.sessions.engine_pool import EnginePool
from mirror_bench.sessions.session import FacePresenter, SessionNames, hold_session
from mirror_bench.therapists.base import Therapist
from mirror_bench.therapists.methods import METHODS
from mirror_bench.therapists.reminded import RemindedTherapist


def client_name(protocol: Protocol) -> str:
    """Returns what records call a protocol's client: its kind, or the model that plays it."""
    client = protocol.client
    return engine_name(client.model) if client.model else client.kind


class SessionFactory:
    """Opens client and therapist of each scenario and lets them meet.

    Args:
        protocol: Names the client.
        candidate: The therapist.
        data: Gives the screenplays that a replaying client reads.
        pool: Opens engines.
        engine: Answers for the candidate, started and closed by the caller; opened by the pool where None.
    """

    def __init__(
        self,
        protocol: Protocol,
        candidate: Candidate,
        data: DataSet,
        pool: EnginePool,
        engine: Engine | None = None,
    ) -> None:
        self.protocol = protocol
        self.candidate = candidate
        self._engine: Engine | None = None
        if candidate.asks_engine:
            self._engine = pool.remember(engine) if engine else pool.open(str(candidate.model))
        client = protocol.client
        self._client: ClientKind = CLIENTS.get(client.kind)
        self._needs = ClientNeeds(
            max_turns=protocol.max_client_turns,
            engine=pool.open(client.model) if client.model else None,
            sampling=client.sampling.sampling(),
            screenplays={play.profile_id: play for play in reversed(data.screenplays)},
            options=read_options(self._client, client.options, "client.options"),
        )

    @property
    def names(self) -> SessionNames:
        """Therapist, method and client, as records name them."""
        return SessionNames(self.candidate.name, self.candidate.method, client_name(self.protocol))

    def _therapist(self, scenario: Scenario, engine: Engine | None) -> Therapist:
        """Returns the candidate in one session, reminded of what was really said where a client gives it."""
        therapist = open_therapist(self.candidate, scenario, engine, self.protocol.therapist)
        given: Callable[[Scenario, ClientNeeds], Sequence[str]] | None
        given = getattr(self._client, "given_replies", None)
        if given is None:
            return therapist
        return RemindedTherapist(therapist, given(scenario, self._needs), self.candidate.name)

    def check(self, scenario: Scenario) -> None:
        """Refuses a candidate that cannot hold the first scenario; engines must have been started.

        Raises:
            InputError: If a method shows faces to a model that reads none, or code of another package has not
                the shape of a therapist.
        """
        if self._engine is not None and not self._engine.sees and METHODS.get(self.candidate.method).sees:
            raise InputError(
                f"{self.candidate.model} reads no images, which the method {self.candidate.method!r} needs: "
                "give --method text or text+p, or a vision-language model"
            )
        refuse_unfit(self.candidate, scenario)

    def open_again(self, scenario: Scenario) -> ReopenedTherapist:
        """Returns the therapist of a scenario once more, to be asked for single turns of a held session."""
        engine = UnrememberedEngine(self._engine) if self._engine is not None else None
        therapist = self._therapist(scenario, engine)
        return ReopenedTherapist(therapist, engine.ask_anew if engine else lambda: None)

    async def hold(
        self, scenario: Scenario, stage: FacePresenter, heard: Callable[[Turn], None] = lambda turn: None
    ) -> Session:
        """Holds the session of one scenario; `heard` is called with every turn as it is spoken.

        Raises:
            EngineError: If an engine could not answer.
        """
        return await hold_session(
            scenario,
            self._client.cast(scenario, self._needs),
            self._therapist(scenario, self._engine),
            stage,
            max_client_turns=self.protocol.max_client_turns,
            names=self.names,
            heard=heard,
        )
