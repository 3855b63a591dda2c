"""The LLM rater: a judge model that answers each item of an instrument, with its evidence checked."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping, Sequence

from mirror_bench.engines.base import Engine, Message, Request, Sampling
from mirror_bench.errors import EngineError, InputError
from mirror_bench.parts import StandsOn
from mirror_bench.prompts import stands_on
from mirror_bench.protocol import RaterSettings, identity
from mirror_bench.raters import judge_json, judge_transcript, safety_features
from mirror_bench.raters.base import RaterNeeds
from mirror_bench.raters.criteria_rater import rate_together
from mirror_bench.raters.flow_rater import JudgeAsking, go_through
from mirror_bench.raters.flows import FlowInstrument
from mirror_bench.raters.instruments import Instrument, Item
from mirror_bench.raters.judge_item import JudgeAnswer, answer_schema, ask, read_verdict
from mirror_bench.raters.judge_transcript import JudgeTranscript, Sees, holds_quote, write_transcript
from mirror_bench.raters.names import RETEST
from mirror_bench.raters.safety_features import DOES_NOT_APPLY, UNANSWERED, answered, known_disclosure
from mirror_bench.schema import ItemRating, Profile, Rating, Session, derive_seed
from mirror_bench.waiting import gathered

_MAX_TOKENS = 512
_VARIED = 0.7
"""Temperature where several samples are drawn, or an answer that could not be used is asked for again."""


class Unreached(str):
    """Why there is no answer, where the engine failed rather than the judge answered unusably."""


class LLMRater:
    """A judge model that rates one item at a time, its quotes checked against the session.

    Args:
        engine: The judge, already started.
        samples: How often each item is asked; the usable scores are averaged.
        sees: What is shown of the session: "words" or "words_and_directions".
        max_attempts: How often a sample is asked for until its answer is usable.
        shuffled: Whether each sample labels the turns at random and lists the anchors from either end, by a
            seed of the session's and its own. Items need no order: each is a question of its own.
        again: Whether this is a retest: the same questions under other seeds, as a rater of another name.

    Raises:
        InputError: If `samples` or `max_attempts` is below 1, or `sees` is neither of the two.
    """

    version = "3"

    def __init__(
        self,
        engine: Engine,
        samples: int = 1,
        sees: Sees = "words",
        max_attempts: int = 3,
        *,
        shuffled: bool = True,
        again: bool = False,
    ) -> None:
        if samples < 1 or max_attempts < 1:
            raise InputError(
                f"an LLM rater needs at least one sample and attempt, not {samples}, {max_attempts}"
            )
        if sees not in ("words", "words_and_directions"):
            raise InputError(f"an LLM rater sees 'words' or 'words_and_directions', not {sees!r}")
        self._engine = engine
        self._samples = samples
        self._sees: Sees = sees
        self._max_attempts = max_attempts
        self._shuffled = shuffled
        self._again = again
        self._round = 0
        self._falling: bool | None = None

    @functools.cached_property
    def edition(self) -> str:
        """What its ratings stand on beside session and instrument: version, settings, prompts and codes."""
        settings = f"samples={self._samples} sees={self._sees} shuffled={self._shuffled}"
        return f"{self.version} {identity(self._asks())} {settings}"

    def anew(self, number: int, falling: bool | None = None) -> LLMRater:
        """Returns this judge for the `number`th time, past memory; `falling` lists anchors from the top."""
        other = copy.copy(self)
        other._round, other._falling = number, falling
        return other

    @classmethod
    def stands_on(cls, settings: RaterSettings, needs: RaterNeeds) -> StandsOn:
        """See `RaterKind`."""
        return cls._asks() | StandsOn(models=(settings.model,) if settings.model else ())

    @classmethod
    def _asks(cls) -> StandsOn:
        """Returns what decides the answers but for the judge; the codes of safety say which items apply."""
        return (
            StandsOn.of("rater.llm", cls.version)
            | stands_on("judge_system", "judge_item")
            | judge_json.stands_on()
            | judge_transcript.stands_on()
            | safety_features.stands_on()
        )

    @classmethod
    def open(cls, settings: RaterSettings, needs: RaterNeeds) -> LLMRater:
        """See `RaterKind`.

        Raises:
            InputError: If the settings name no model.
        """
        if not settings.model:
            raise InputError("a rater is a model and none is named: give --judge provider/name")
        return cls(
            needs.engine(settings.model),
            settings.samples,
            settings.sees,
            shuffled=settings.shuffled,
            again=settings.again,
        )

    @property
    def name(self) -> str:
        """The rater's name in ratings: the judge's engine, and whether this is a retest."""
        return f"llm:{self._engine.name}{RETEST if self._again else ''}"

    async def rate(self, session: Session, profile: Profile, instrument: Instrument) -> Rating:
        """Fills in an instrument for one session, all items at once.

        Args:
            session: What was said.
            profile: Who the client is; not shown to the judge, who knows what an observer could know. Where
                the client's own state tells whether it disclosed a crisis, items about one apply or not by
                that; everywhere else the judge decides, untold by any other rater.
            instrument: What to fill in.

        Returns:
            A score per item with the quotes that support it. An item that never got a usable answer has no
            score, and says why.

        Raises:
            EngineDeadError: If the judge can answer no more.
        """
        seeds = (session.scenario_id, session.therapist, self.name, instrument.name)
        if isinstance(instrument, FlowInstrument):
            return self._rating(
                session, instrument, await go_through(self._asking(seeds), session, instrument)
            )
        # One layout per sample, the same for all items, which then share the transcript as a prefix.
        orders = [
            derive_seed(*seeds, "order", sample) if self._shuffled else None
            for sample in range(self._samples)
        ]
        if self._falling is not None:
            orders = [(order or 0) & ~1 | self._falling for order in orders]
        shown = [(write_transcript(session, self._sees, order), order) for order in orders]
        known = known_disclosure(session, profile)
        spared = None
        if known.sure and known.turn is None:
            spared = ItemRating(score=None, reason=DOES_NOT_APPLY, applies=False)
        elif known.sure and not answered(session, known.turn):
            spared = ItemRating(score=None, reason=UNANSWERED)
        asked = [item for item in instrument.items if item.applies == "always" or spared is None]
        if instrument.asked == "together":
            given = await rate_together(self._asking(seeds), session, instrument, asked)
            return self._rating(session, instrument, given, spared)
        answers = await gathered(
            self._item(shown, instrument, item, seeds, item.applies == "crisis" and not known.sure)
            for item in asked
        )
        given = {item.id: answer for item, answer in zip(asked, answers, strict=True)}
        return self._rating(session, instrument, given, spared)

    def _asking(self, seeds: tuple[str, ...]) -> JudgeAsking:
        """Returns how the judge is asked where several questions hang together."""
        first = self._round * self._max_attempts
        settings = (self._sees, self._samples, self._max_attempts, first, self._shuffled)
        return JudgeAsking(self._engine, seeds, *settings)

    def _rating(
        self,
        session: Session,
        form: Instrument,
        given: Mapping[str, ItemRating],
        spared: ItemRating | None = None,
    ) -> Rating:
        items = {item.id: made for item in form.items if (made := given.get(item.id) or spared) is not None}
        return Rating(
            scenario_id=session.scenario_id,
            therapist=session.therapist,
            method=session.method,
            rater=self.name,
            instrument=form.name,
            items=items,
        )

    async def _item(
        self,
        shown: Sequence[tuple[JudgeTranscript, int | None]],
        instrument: Instrument,
        item: Item,
        seeds: tuple[str, ...],
        decides: bool,
    ) -> ItemRating:
        transcript = shown[0][0]
        drawn = [
            await self._sample(
                ask(as_shown, instrument, item, falling=bool(order and order & 1), decides=decides),
                instrument,
                derive_seed(*seeds, item.id, sample),
                decides,
            )
            for sample, (as_shown, order) in enumerate(shown)
        ]
        usable = [answer for answer in drawn if isinstance(answer, JudgeAnswer)]
        failures = [answer for answer in drawn if isinstance(answer, str)]
        if not usable:
            lost = any(isinstance(failure, Unreached) for failure in failures)
            return ItemRating(score=None, reason=f"no usable answer: {failures[0]}", lost=lost)
        scored = [verdict for verdict in usable if verdict.score is not None]
        if 2 * len(scored) < len(usable):
            spared = next(verdict for verdict in usable if verdict.score is None)
            return ItemRating(score=None, reason=spared.reason or "the judge: does not apply", applies=False)
        usable = scored
        quotes = list(dict.fromkeys(quote for verdict in usable for quote in verdict.evidence))
        found = [quote for quote in quotes if holds_quote(transcript, quote)]
        notes = [usable[0].reason]
        if len(found) < len(quotes):
            notes.append(f"[{len(quotes) - len(found)} of {len(quotes)} quotes are not in the transcript]")
        if failures:
            notes.append(f"[{len(failures)} of {len(drawn)} samples unusable: {failures[0]}]")
        if shows := next((verdict.shown_by for verdict in usable if verdict.shown_by), ""):
            said = "" if holds_quote(transcript, shows) else ", which nobody says"
            notes.append(f'[applies by "{shows}"{said}]')
        if transcript.cut:
            notes.append(f"[{len(transcript.cut)} turns were shown cut]")
        return ItemRating(
            score=sum(verdict.score or 0 for verdict in usable) / len(usable),
            evidence=tuple(found),
            reason=" ".join(note for note in notes if note),
        )

    async def _sample(
        self, messages: tuple[Message, ...], instrument: Instrument, seed: int, decides: bool
    ) -> JudgeAnswer | str:
        """Returns one usable answer, or why there was none after the last attempt."""
        failure = ""
        first = self._round * self._max_attempts
        for attempt in range(first, first + self._max_attempts):
            varied = self._samples > 1 or attempt > 0
            request = Request(
                messages=messages,
                sampling=Sampling(temperature=_VARIED if varied else 0.0, max_tokens=_MAX_TOKENS),
                seed=derive_seed(seed, attempt),
                json_schema=answer_schema(instrument, decides=decides),
                attempt=attempt,
            )
            try:
                answer = await self._engine.answer(request)
            except EngineError as error:
                failure = Unreached(f"the judge could not answer ({str(error)[:200]})")
                continue
            verdict = read_verdict(answer.text, instrument, decides=decides)
            if isinstance(verdict, JudgeAnswer):
                return verdict
            failure = verdict
        return type(failure)(f"{failure} ({self._max_attempts} attempts)")
