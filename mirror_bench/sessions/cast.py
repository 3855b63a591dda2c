"""Who plays in a run: client, therapist, face source and raters, opened from a protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from mirror_bench.clients.opening import CLIENTS, ClientNeeds, open_client
from mirror_bench.data.base import DataSet
from mirror_bench.data.sources import load_data
from mirror_bench.engines.base import Engine
from mirror_bench.engines.memo import Memo, MemoEngine
from mirror_bench.engines.opening import open_engine
from mirror_bench.errors import InputError
from mirror_bench.faces import FACE_SOURCES
from mirror_bench.modelspec import parse_model
from mirror_bench.protocol import Fingerprint, Protocol, RaterSettings, fingerprint
from mirror_bench.raters import RATERS
from mirror_bench.schema import Scenario, Screenplay, Session
from mirror_bench.sessions.candidate import Candidate, open_therapist
from mirror_bench.sessions.dialogue import Stage, hold_session
from mirror_bench.sessions.progress import Tally
from mirror_bench.sessions.runner import Rater

Names = tuple[str, str, str]


def versions(protocol: Protocol) -> Mapping[str, str]:
    """Returns the versions of the code that can move a score under `protocol`."""
    found = {"faces": str(FACE_SOURCES.get(protocol.faces)().name)}
    kinds = {"client": CLIENTS.get(protocol.client.kind)}
    kinds |= {f"rater.{rater.kind}": RATERS.get(rater.kind) for rater in protocol.raters}
    return found | {kind: str(getattr(made, "version", "1")) for kind, made in kinds.items()}


def protocol_fingerprint(protocol: Protocol, data: DataSet | None = None) -> Fingerprint:
    """Returns the fingerprint of a protocol, loading its data where not given."""
    data = data or load_data(protocol.data)
    return fingerprint(protocol, data.digest, versions(protocol))


class Cast:
    """Everybody who plays in a run. Start it before use, and close it.

    Args:
        protocol: Names client and raters.
        candidate: The therapist.
        data: Gives the screenplays that a replaying client reads.
        memo: Where every answer is remembered.
        engine: Answers for the candidate, already started; opened from the candidate's name where None.
        concurrency: How many sessions are held at a time.
    """

    def __init__(
        self,
        protocol: Protocol,
        candidate: Candidate,
        data: DataSet,
        memo: Path,
        engine: Engine | None = None,
    ) -> None:
        self.protocol = protocol
        self.candidate = candidate
        self._memo = Memo(memo)
        self._opened: dict[str, Engine] = {}
        self._engine: Engine | None = None
        if not candidate.scripted:
            self._engine = MemoEngine(engine, self._memo) if engine else self._open(str(candidate.model))
        self._client = self._needs(data.screenplays)
        self.raters = [self._rater(settings) for settings in protocol.raters]

    @property
    def names(self) -> Names:
        """Therapist, method and client, as records name them."""
        client = self.protocol.client
        return self.candidate.name, self.candidate.method, client.model or client.kind

    async def start(self) -> None:
        """Starts every engine.

        Raises:
            InputError: If a model, an option or the environment is unusable.
        """
        for engine in self._opened.values():
            await engine.start()
        if self._engine is not None and not self._engine.sees and self.candidate.method != "text":
            raise InputError(
                f"{self.candidate.model} reads no images, which the method {self.candidate.method!r} needs: "
                "give --method text, or a vision-language model"
            )

    async def close(self) -> None:
        """Closes every engine that was opened here, and the memory."""
        for engine in self._opened.values():
            await engine.close()
        self._memo.close()

    async def __aenter__(self) -> Cast:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def hold(self, scenario: Scenario, stage: Stage, tally: Tally) -> Session:
        """Holds the session of one scenario."""
        return await hold_session(
            scenario,
            open_client(self.protocol.client.kind, scenario, self._client),
            open_therapist(self.candidate, scenario, self._engine, self.protocol.therapist),
            stage,
            max_client_turns=self.protocol.max_client_turns,
            names=self.names,
            heard=tally.heard,
        )

    def _open(self, name: str) -> Engine:
        if name not in self._opened:
            self._opened[name] = MemoEngine(open_engine(parse_model(name)), self._memo)
        return self._opened[name]

    def _needs(self, screenplays: Sequence[Screenplay]) -> ClientNeeds:
        client = self.protocol.client
        return ClientNeeds(
            max_turns=self.protocol.max_client_turns,
            engine=self._open(client.model) if client.model else None,
            sampling=client.sampling.sampling(),
            screenplays={play.profile_id: play for play in reversed(screenplays)},
        )

    def _rater(self, settings: RaterSettings) -> Rater:
        kind = RATERS.get(settings.kind)
        if not settings.model:
            rater: Rater = kind()
            return rater
        rater = kind(self._open(settings.model), samples=settings.samples, sees=settings.sees)
        return rater
