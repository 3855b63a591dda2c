"""Our engines as a model of lm-eval: any `provider/name`, asked concurrently, images included."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model

from mirror_bench.engines.base import Engine, Request
from mirror_bench.engines.factory import open_engine
from mirror_bench.engines.memo import Memo
from mirror_bench.engines.memo_engine import MemoEngine
from mirror_bench.engines.scoring import scoring
from mirror_bench.errors import EngineDeadError, EngineError, InputError
from mirror_bench.lm_eval.requests import chat_text, read_images, read_messages, read_sampling
from mirror_bench.lm_eval.unanswered import FirstPass
from mirror_bench.modelspec import parse_model
from mirror_bench.schema import derive_seed

_ATTEMPTS = 3

T = TypeVar("T")


@register_model("mirror-engine")
class EngineLM(LM):  # type: ignore[misc]
    """A model of lm-eval that asks one of our engines.

    Every request goes through the engine's chat template: with lm-eval's `apply_chat_template` the messages
    of the task, without it one message of the user that holds the whole context. Log-likelihoods, with
    images too, need an engine that gives them (`vllm/…`, `transformers/…`).

    Args:
        model: `provider/name?option=value`, or an engine, which is then not closed here.
        memo: File that remembers every answer, so that a second run asks nothing twice; "" for none.
        blind: Whether images are left out of every prompt, to measure what they bring.
        concurrency: Requests in flight at once.
        seed: From which the seeds of sampled answers are derived.
        quiet: Whether no progress is shown.
        first_pass: Notes what every request came to, refused ones included, which otherwise end all.
        batch_size: Accepted as lm-eval passes it; engines batch by themselves, as `device` is their option.
        max_batch_size: As `batch_size`.
        device: As `batch_size`.

    Raises:
        InputError: If the model cannot be opened, or the memory not be read.
    """

    MULTIMODAL = True

    def __init__(
        self,
        model: str | Engine,
        memo: str | Path = "",
        blind: bool = False,
        concurrency: int = 256,
        seed: int = 0,
        quiet: bool = False,
        batch_size: Any = None,
        max_batch_size: Any = None,
        device: Any = None,
        first_pass: FirstPass | None = None,
    ) -> None:
        super().__init__()
        if concurrency < 1:
            raise InputError(f"concurrency={concurrency} must be at least 1")
        self._own = isinstance(model, str)
        self.engine: Engine = open_engine(parse_model(model, "--model")) if isinstance(model, str) else model
        self._memo = Memo(Path(memo)) if memo else None
        self._asked: Engine = MemoEngine(self.engine, self._memo) if self._memo is not None else self.engine
        self._blind, self._concurrency, self._seed = blind, concurrency, seed
        self._quiet = quiet
        self.first_pass = first_pass
        self._loop = _Loop()
        try:
            self._loop.run(self.engine.start())
        except BaseException:
            self.close()
            raise

    @property
    def tokenizer_name(self) -> str:
        """The engine's name, under which lm-eval caches requests."""
        return self.engine.name

    def chat_template(self, chat_template: bool | str = False) -> str:
        """Returns nothing, as the engine applies the model's own template."""
        return ""

    def get_model_info(self) -> dict[str, Any]:
        """Returns what lm-eval records of the model in its results."""
        adapted = list(getattr(self.engine, "adapted", ()))
        return {"model": self.engine.name, "blind": self._blind} | ({"adapted": adapted} if adapted else {})

    def apply_chat_template(
        self, chat_history: Sequence[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """Returns the messages as text that `generate_until` and `loglikelihood` read back.

        Raises:
            InputError: If the task wants the answer begun by its own words (`gen_prefix`).
        """
        if not add_generation_prompt:
            raise InputError(
                "gen_prefix: our engines begin no answer by given words; remove it from the task"
            )
        return chat_text(chat_history)

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """Generates one answer per instance, all of them concurrently.

        Raises:
            InputError: If the engine died, or a request cannot be put or failed three times.
        """
        if (known := self._recall("generate_until", requests)) is not None:
            return known
        seen: Counter[tuple[str, str]] = Counter()
        calls: list[_Call[str]] = []
        for instance in requests:
            context, arguments = instance.args[:2]
            # lm-eval repeats an instance to draw several answers, each of which needs a seed of its own.
            drawn = (context, f"{instance.task_name} {instance.doc_id}")
            seed = derive_seed("lm-eval", self._seed, *drawn, seen[drawn])
            seen[drawn] += 1
            calls.append(_Call(self._generate(instance, arguments, seed), (len(calls),)))
        return self._gather(calls, "generate_until", requests, disable_tqdm, "")

    def loglikelihood(self, requests: list[Instance], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """Returns log-probability and whether it is greedy, per instance: a request a question, concurrently.

        Raises:
            InputError: If the engine gives no log-probabilities or died, or a request cannot be put or
                failed three times.
        """
        if (known := self._recall("loglikelihood", requests)) is not None:
            return known
        if requests:
            scoring(self._asked)
        questions: dict[tuple[Any, ...], list[int]] = {}
        for number, instance in enumerate(requests):
            question = (instance.task_name, instance.doc_id, type(instance.args[0]), instance.args[0])
            questions.setdefault(question, []).append(number)
        calls = [
            _Call(self._score([requests[number] for number in numbers]), tuple(numbers))
            for numbers in questions.values()
        ]
        return self._gather(calls, "loglikelihood", requests, disable_tqdm, (-1e3, False))

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        """Is refused: chat engines answer messages, and no document stands alone.

        Raises:
            InputError: Always.
        """
        raise InputError(
            "perplexity of whole documents is not measured through a chat template; use lm-eval's model hf"
        )

    def close(self) -> None:
        """Closes the memory, and the engine where it was opened here; safe to call twice."""
        if self._loop.closed:
            return
        if self._own:
            self._loop.run(self.engine.close())
        self._loop.close()
        if self._memo is not None:
            self._memo.close()

    async def _generate(self, instance: Instance, arguments: dict[str, Any], seed: int) -> list[str]:
        sampling = read_sampling(arguments)
        seed = seed if sampling.temperature > 0 else 0
        request = replace(await self._request(instance), sampling=sampling, seed=seed)
        text = (await _insist(self._asked.answer, request)).text
        # A server may have been told to leave out the stop texts.
        for stop in sampling.stop:
            text = text.split(stop)[0]
        return [text]

    async def _score(self, question: Sequence[Instance]) -> list[tuple[float, bool]]:
        continuations = [instance.args[1] for instance in question]
        engine = scoring(self._asked)
        found = await _insist(
            lambda request: engine.score(request, continuations), await self._request(question[0])
        )
        return [(one.logprob, one.greedy) for one in found]

    async def _request(self, instance: Instance) -> Request:
        images = read_images(instance.args)
        if images and not self._blind and not self.engine.sees:
            raise InputError(
                f"{self.engine.name}: does not see, and the task shows images; "
                "choose a model that sees, or leave images out with --blind (EngineLM: blind=True)"
            )
        # Encoding images takes too long for the event loop.
        messages = await asyncio.to_thread(read_messages, instance.args[0], images)
        if self._blind:
            from mirror_bench.engines.chat_templates import without_images

            messages = without_images(messages)
        return Request(messages)

    def _gather(
        self, calls: Sequence[_Call[T]], kind: str, requests: list[Instance], quiet: bool, nothing: T
    ) -> list[T]:
        from tqdm import tqdm  # type: ignore[import-untyped]

        results: list[T | BaseException] = [nothing] * len(requests)
        with tqdm(
            total=len(requests), desc=f"{self.engine.name}: {kind}", disable=quiet or self._quiet
        ) as bar:

            async def limited(slots: asyncio.Semaphore, call: _Call[T]) -> None:
                async with slots:
                    try:
                        told: Sequence[T | BaseException] = await call.asks
                    except Exception as error:
                        told = [self._failure(error, requests[number]) for number in call.numbers]
                for number, result in zip(call.numbers, told, strict=True):
                    results[number] = result
                    if not isinstance(result, BaseException):
                        self.cache_hook.add_partial(kind, requests[number].args, result)
                bar.update(len(call.numbers))

            async def gather() -> None:
                slots = asyncio.Semaphore(self._concurrency)
                await asyncio.gather(*(limited(slots, call) for call in calls))

            self._loop.run(gather())
        if self.first_pass is None:
            return _all_good(results)
        _all_good([result for result in results if not isinstance(result, EngineError)])
        self.first_pass.keep(kind, requests, results)
        # The first pass is evaluated to its end, and thrown away.
        return [nothing if isinstance(result, BaseException) else result for result in results]

    def _failure(self, error: Exception, instance: Instance) -> Exception:
        """Returns what an instance that could not be asked comes to."""
        if isinstance(error, InputError) or (isinstance(error, EngineError) and self.first_pass is None):
            return _named(error, instance)
        return error

    def _recall(self, kind: str, requests: list[Instance]) -> list[Any] | None:
        return self.first_pass.recall(kind, requests) if self.first_pass is not None else None


class _Call(NamedTuple, Generic[T]):
    """What is asked of the engine at once, and the instances that it answers."""

    asks: Coroutine[Any, Any, list[T]]
    numbers: tuple[int, ...]


class _Loop:
    """An event loop in a thread: lm-eval calls from ordinary code, notebooks from within a loop of theirs."""

    def __init__(self) -> None:
        self.closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lm-eval", daemon=True)
        self._thread.start()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine there and returns its result."""
        return asyncio.run_coroutine_threadsafe(call, self._loop).result()

    def close(self) -> None:
        """Ends the thread."""
        self.closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        with suppress(RuntimeError):
            self._loop.close()


async def _insist(ask: Callable[[Request], Awaitable[T]], request: Request) -> T:
    """Asks again where a request failed, under another number, so that memory does not answer for it."""
    for attempt in range(_ATTEMPTS - 1):
        with suppress(EngineError):
            return await ask(replace(request, attempt=attempt))
    return await ask(replace(request, attempt=_ATTEMPTS - 1))


def _named(error: Exception, instance: Instance) -> Exception:
    if isinstance(error, EngineDeadError):
        return error
    return InputError(f"{instance.task_name}, document {instance.doc_id}: {error}")


def _all_good(results: Sequence[T | BaseException]) -> list[T]:
    good = [result for result in results if not isinstance(result, BaseException)]
    bad = [result for result in results if isinstance(result, BaseException)]
    if not bad:
        return good
    fatal = next((error for error in bad if isinstance(error, EngineDeadError)), bad[0])
    if len(bad) == 1 or isinstance(fatal, EngineDeadError) or not isinstance(fatal, InputError):
        raise fatal
    raise InputError(f"{len(bad)} of {len(results)} requests failed; the first: {fatal}")
