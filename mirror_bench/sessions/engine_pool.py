"""The engines of a run: each opened once, by name, and all of them remembered in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from mirror_bench.engines.base import Engine, EngineWrapper
from mirror_bench.engines.factory import open_engine
from mirror_bench.engines.memo import Memo
from mirror_bench.engines.memo_engine import MemoEngine
from mirror_bench.engines.prices import SpendingLimit
from mirror_bench.modelspec import parse_model
from mirror_bench.parts import read_options
from mirror_bench.protocol import RaterSettings
from mirror_bench.raters import RATERS
from mirror_bench.raters.base import Rater, RaterKind, RaterNeeds
from mirror_bench.raters.editions import edition_of
from mirror_bench.sessions.judging.panel_anchors import ANCHORS


class EnginePool:
    """Opens each engine once, with one memory of answers for all; use as an async context manager.

    Args:
        memo: The file that remembers every answer.
        given: Name -> engine that somebody else starts and closes, taken where that name is asked for.
        spending: What all answers together may cost, those of earlier starts included.

    Raises:
        InputError: If the file cannot be used, or a price is not known.
    """

    def __init__(
        self,
        memo: Path,
        given: Mapping[str, Engine] | None = None,
        spending: SpendingLimit | None = None,
    ) -> None:
        self._memo = Memo(memo)
        self._given = given or {}
        self._spending = spending
        if spending is not None:
            for name, usage in self._memo.usage().items():
                spending.count(name, usage)
        self._engines: dict[str, Engine] = {}
        self._lent: list[Engine] = []

    def open(self, name: str) -> Engine:
        """Returns the engine of a model name, remembered; not started before `start`."""
        if name in self._given:
            return self.remember(self._given[name])
        if name not in self._engines:
            self._engines[name] = MemoEngine(self._counted(open_engine(parse_model(name))), self._memo)
        return self._engines[name]

    def remember(self, engine: Engine) -> Engine:
        """Returns an engine that somebody else starts and closes, remembered here."""
        self._lent.append(engine)
        return MemoEngine(self._counted(engine), self._memo)

    def _counted(self, engine: Engine) -> Engine:
        return engine if self._spending is None else self._spending.watch(engine)

    @property
    def adapted(self) -> Mapping[str, Sequence[str]]:
        """Engine -> what it puts otherwise than asked for, since its server refused that."""
        found: dict[str, Sequence[str]] = {}
        for engine in (*self._engines.values(), *self._lent):
            inner = engine
            while isinstance(inner, EngineWrapper):
                inner = inner.engine
            if lines := getattr(inner, "adapted", ()):
                found[engine.name] = lines
        return found

    async def start(self) -> None:
        """Starts every engine that was opened.

        Raises:
            InputError: If a model, an option or the environment is unusable.
        """
        for engine in self._engines.values():
            await engine.start()

    async def __aenter__(self) -> EnginePool:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for engine in self._engines.values():
                await engine.close()
        finally:
            self._memo.close()


def open_raters(settings: Sequence[RaterSettings], pool: EnginePool) -> list[Rater]:
    """Returns the raters that a protocol names, with engines of the pool.

    Raises:
        InputError: If one does not exist or its settings cannot be used.
    """
    return [_open_rater(chosen, pool.open) for chosen in settings]


def rater_names(settings: Sequence[RaterSettings]) -> list[str]:
    """Returns what ratings call the raters that a protocol names; nothing is started."""
    return list(rater_editions(settings))


def rater_editions(settings: Sequence[RaterSettings]) -> dict[str, str]:
    """Returns, by name, what the ratings of a protocol's raters stand on; nothing is started."""
    raters = [_open_rater(chosen, unstarted) for chosen in settings]
    return {rater.name: edition_of(rater) for rater in raters}


def unstarted(name: str) -> Engine:
    """Returns the engine of a model name, neither started nor remembered."""
    return open_engine(parse_model(name))


def rater_needs(
    chosen: RaterSettings, engine_of: Callable[[str], Engine] = unstarted, where: str = "raters"
) -> RaterNeeds:
    """Returns what a rater is given of a run, its own options read.

    Raises:
        InputError: If there is no such rater or an option is wrong, naming `where` it stands.
    """
    options = read_options(RATERS.get(chosen.kind), chosen.options, f"{where}.options")
    return RaterNeeds(engine_of, ANCHORS, options)


def _open_rater(chosen: RaterSettings, engine_of: Callable[[str], Engine]) -> Rater:
    kind: RaterKind = RATERS.get(chosen.kind)
    return kind.open(chosen, rater_needs(chosen, engine_of))
