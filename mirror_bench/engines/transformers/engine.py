"""Models run by transformers itself: slower than vLLM, at home wherever torch is."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from mirror_bench.engines.answers import Given, RoomOptions, hear
from mirror_bench.engines.base import Answer, Request
from mirror_bench.engines.chat_templates import load_prompting, without_images
from mirror_bench.engines.checkpoints import cache_identity, content_identity, local_folder, read_adapter
from mirror_bench.engines.images import check_count, images_of
from mirror_bench.engines.output_capture import cause, new_log, quiet
from mirror_bench.engines.scoring import Likelihood
from mirror_bench.errors import EngineDeadError, EngineError, InputError
from mirror_bench.modelspec import ModelSpec, read_options
from mirror_bench.text import one_line

if TYPE_CHECKING:
    from mirror_bench.engines.transformers.batch import Loaded

_INDIFFERENT = frozenset({"device", "batch_size", "max_images", "trust_remote_code"})
# Sessions that were answered together ask again together; so long the batch waits for the last of them.
_GATHER_S = 0.005
_JOIN_S = 60.0


@dataclass
class _Asked:
    """One request on its way to the thread; with continuations, how likely these are."""

    request: Request
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]
    continuations: tuple[str, ...] = ()


class TransformersOptions(RoomOptions):
    """See `TransformersEngine`."""

    device: str = ""
    dtype: str = ""
    batch_size: int = Field(32, ge=1)
    max_images: int = Field(16, ge=0)
    lora: str = ""
    revision: str = ""
    trust_remote_code: bool = False


class TransformersEngine:
    """A model in transformers; `transformers/<folder or Hub name>?option=value`.

    Whatever waits is answered in one batch. JSON schemas are not enforced: the prompt has to ask for JSON.

    Options:
        device: As in torch (`cuda` where there is a GPU, else `cpu`).
        dtype: Number format (float32 on a CPU, else as the model was saved).
        batch_size: Most requests answered together (32).
        max_images: Most images in one request; 0 leaves images out (16).
        lora: Folder of a LoRA adapter, as peft saves it.
        revision, trust_remote_code: As in transformers.
        max_thinking_tokens, max_tokens: See `answers.RoomOptions`.

    Raises:
        InputError: If an option is unknown, malformed or out of range.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._options = read_options(spec, TransformersOptions)
        self._spec = spec
        self._loaded: Loaded | None = None
        self._inbox: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._dead = ""
        self._starting = asyncio.Lock()

    @staticmethod
    def identity(spec: ModelSpec) -> str:
        """See `factory.model_identity`."""
        return content_identity(spec, _INDIFFERENT)

    @functools.cached_property
    def name(self) -> str:
        """The model, a digest of its content where it is local, and the options that decide answers."""
        return cache_identity(self._spec, _INDIFFERENT)

    @property
    def sees(self) -> bool:
        """Whether the model reads images; before `start`, whether it is to be opened for them."""
        return self._options.max_images > 0 and (self._loaded is None or self._loaded.prompting.sees)

    async def start(self) -> None:
        """Loads the model.

        Raises:
            InputError: If transformers is missing, or the model or an option is unusable.
        """
        async with self._starting:
            if self._thread is not None:
                return
            await asyncio.to_thread(self._load)
            self._thread = threading.Thread(target=self._run, name="transformers", daemon=True)
            self._thread.start()

    async def answer(self, request: Request) -> Answer:
        """Answers one request, in a batch with whatever else waits.

        Raises:
            EngineError: If the request cannot be answered.
            TooMuchError: If it is longer than the context, or holds more images than `max_images`.
            EngineDeadError: If the engine died or was closed.
        """
        answer: Answer = await self._ask(
            replace(request, sampling=self._options.room.widen(request.sampling))
        )
        loaded = self._loaded
        given = Given(
            text=answer.text,
            finish=answer.finish,
            prompt_tokens=answer.prompt_tokens,
            tokens=answer.tokens,
            opened=loaded is not None and loaded.prompting.opens_thought,
        )
        return hear(str(self._spec), given, request.sampling, self._options.room)

    async def score(self, request: Request, continuations: Sequence[str]) -> list[Likelihood]:
        """Returns how likely each answer is, in a batch with whatever else waits.

        Raises:
            EngineError: If the request cannot be scored, such as one longer than the context.
            TooMuchError: If it holds more images than `max_images`.
            EngineDeadError: If the engine died or was closed.
        """
        likelihoods: list[Likelihood] = (
            await self._ask(request, tuple(continuations)) if continuations else []
        )
        return likelihoods

    async def _ask(self, request: Request, continuations: tuple[str, ...] = ()) -> Any:
        if self._thread is None:
            await self.start()
        if self.sees:
            check_count(request.messages, self._options.max_images, self.name)
        else:
            request = replace(request, messages=without_images(request.messages))
        loop = asyncio.get_running_loop()
        asked = _Asked(request, loop, loop.create_future(), continuations)
        self._inbox.put(asked)
        if self._thread is None or not self._thread.is_alive():
            self._fail_waiting()
        return await asked.answer

    async def close(self) -> None:
        """Stops the thread and frees the model."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._inbox.put(None)
            await asyncio.to_thread(thread.join, _JOIN_S)
        self._loaded = None

    def _load(self) -> None:
        folder = local_folder(self._spec.name)
        log = new_log("transformers")
        try:
            with quiet(log):
                self._loaded = self._open(folder)
        except InputError:
            raise
        except ModuleNotFoundError as error:
            raise InputError(
                f"{self._spec}: {error.name} is not installed; pip install 'mirror-bench[transformers]'"
            ) from None
        except Exception as error:
            raise InputError(f"{self._spec}: transformers cannot open it: {cause(error, log)}") from None
        finally:
            log.unlink(missing_ok=True)

    def _open(self, folder: Path | None) -> Loaded:
        import torch
        from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, GenerationConfig
        from transformers.utils import logging

        from mirror_bench.engines.transformers.batch import Loaded

        logging.set_verbosity_error()
        source: dict[str, Any] = {
            "revision": self._options.revision or "main",
            "trust_remote_code": self._options.trust_remote_code,
        }
        prompting = load_prompting(self._spec.name, folder, **source)
        device = self._options.device or ("cuda" if torch.cuda.is_available() else "cpu")
        dtype = self._options.dtype or ("float32" if device == "cpu" else "auto")
        kind = AutoModelForImageTextToText if prompting.takes_images else AutoModelForCausalLM
        model = kind.from_pretrained(str(folder or self._spec.name), dtype=dtype, **source)
        if self._options.lora:
            from peft import PeftModel

            model = PeftModel.from_pretrained(
                model, str(read_adapter(self._options.lora).folder)
            ).merge_and_unload()
        model = model.to(device).eval()
        ends, pad = _special_tokens(model, prompting.tokenizer)
        if prompting.tokenizer.pad_token_id is None:  # as in Llama's; a batch cannot be made without one
            prompting.tokenizer.pad_token = prompting.tokenizer.convert_ids_to_tokens(pad)
        # The model's own defaults (a repetition penalty, say) would otherwise be mixed into every request.
        model.generation_config = GenerationConfig(eos_token_id=list(ends), pad_token_id=pad)
        context = getattr(model.config.get_text_config(), "max_position_embeddings", None) or 0
        return Loaded(model, prompting, ends, pad, int(context))

    def _run(self) -> None:
        batch: list[_Asked] = []
        try:
            while batch := self._gather():
                self._answer(batch)
        except BaseException as error:
            self._dead = f"{self._spec}: transformers stopped ({type(error).__name__}: {error})"
        self._fail_waiting(batch)

    def _gather(self) -> list[_Asked]:
        """Waits for requests and takes what is there; nothing at the end."""
        asked = self._inbox.get()
        if asked is None:
            return []
        batch = [asked]
        deadline = time.monotonic() + _GATHER_S
        while len(batch) < self._options.batch_size:
            try:
                asked = self._inbox.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if asked is None:
                self._inbox.put(None)
                break
            batch.append(asked)
        return batch

    def _answer(self, batch: list[_Asked]) -> None:
        waiting = [asked for asked in batch if not asked.answer.cancelled()]
        # Processors take a batch with images or one without, not a mixture.
        parts: dict[tuple[bool, bool], list[_Asked]] = {}
        for asked in waiting:
            kind = (bool(asked.continuations), bool(images_of(asked.request.messages)))
            parts.setdefault(kind, []).append(asked)
        for part in parts.values():
            self._answer_alike(part)

    def _answer_alike(self, batch: Sequence[_Asked]) -> None:
        try:
            results = self._compute(batch)
        except Exception as error:
            if len(batch) == 1:
                said = one_line(error) or type(error).__name__
                _settle(batch[0], EngineError(f"{self._spec}: cannot answer this request: {said}"))
                return
            # One bad request, or too little memory for all: halving tells them apart.
            middle = len(batch) // 2
            self._answer_alike(batch[:middle])
            self._answer_alike(batch[middle:])
            return
        for asked, result in zip(batch, results, strict=True):
            if isinstance(result, EngineError):
                result.args = (f"{self._spec}: {result}",)
            _settle(asked, result)

    def _compute(self, batch: Sequence[_Asked]) -> Sequence[Answer | list[Likelihood] | EngineError]:
        from mirror_bench.engines.transformers.batch import answer_batch
        from mirror_bench.engines.transformers.scoring import Scored, score_batch

        assert self._loaded is not None
        if not batch[0].continuations:
            return answer_batch(self._loaded, [asked.request for asked in batch])
        return score_batch(self._loaded, [Scored(one.request, one.continuations) for one in batch])

    def _fail_waiting(self, batch: Sequence[_Asked] = ()) -> None:
        waiting = list(batch)
        with contextlib.suppress(queue.Empty):
            while True:
                asked = self._inbox.get(block=False)
                if asked is not None:
                    waiting.append(asked)
        for asked in waiting:
            _settle(asked, EngineDeadError(self._dead or f"{self._spec}: the engine is closed"))


def _settle(asked: _Asked, result: Answer | list[Likelihood] | Exception) -> None:
    def hand_over() -> None:
        if asked.answer.done():
            return
        if isinstance(result, Exception):
            asked.answer.set_exception(result)
        else:
            asked.answer.set_result(result)

    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        asked.loop.call_soon_threadsafe(hand_over)


def _special_tokens(model: Any, tokenizer: Any) -> tuple[tuple[int, ...], int]:
    """Returns the tokens that end an answer and the one that pads."""
    own = model.generation_config.eos_token_id
    ends = {*(own if isinstance(own, list) else [own]), tokenizer.eos_token_id} - {None}
    pad = next(token for token in (tokenizer.pad_token_id, *sorted(ends), 0) if token is not None)
    return tuple(sorted(ends)), int(pad)
