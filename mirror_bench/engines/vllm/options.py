"""The options of a model in vLLM, and the arguments that vLLM is given for them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from mirror_bench.engines.answers import Room
from mirror_bench.engines.checkpoints import Adapter
from mirror_bench.errors import InputError
from mirror_bench.modelspec import ModelSpec, Options

# Options that decide no answer, only speed, memory and what is refused.
OUTPUT_NEUTRAL_OPTIONS = frozenset(
    {"tensor_parallel_size", "gpu_memory_utilization", "max_num_seqs", "kv_gib", "enforce_eager", "process"}
    | {"max_model_len", "max_images", "trust_remote_code"}
)
# Without a given max_model_len: room for a judge's reading of a long session, not for 128k tokens of cache.
_LONGEST_CPU, _LONGEST_GPU = 8192, 16384


@dataclass(frozen=True)
class VllmOptions:
    """The options of one model; 0, "" and None leave the choice to `arguments`. See `VllmEngine` for each."""

    dtype: str
    max_model_len: int
    max_images: int
    max_num_seqs: int
    kv_gib: float
    gpu_memory_utilization: float
    tensor_parallel_size: int
    lora: str
    quantization: str
    revision: str
    trust_remote_code: bool
    enforce_eager: bool | None
    process: bool | None
    room: Room
    reasoning_parser: str

    @classmethod
    def read(cls, spec: ModelSpec) -> VllmOptions:
        """Reads the options of a model's name.

        Raises:
            InputError: If an option is unknown, malformed or out of range.
        """
        options = Options(spec)
        read = cls(
            dtype=options.text("dtype"),
            max_model_len=options.integer("max_model_len", 0),
            max_images=options.integer("max_images", 16),
            max_num_seqs=options.integer("max_num_seqs", 0),
            kv_gib=options.number("kv_gib", 0),
            gpu_memory_utilization=options.number("gpu_memory_utilization", 0),
            tensor_parallel_size=options.integer("tensor_parallel_size", 1),
            lora=options.text("lora"),
            quantization=options.text("quantization"),
            revision=options.text("revision"),
            trust_remote_code=options.flag("trust_remote_code"),
            enforce_eager=_flag_or_none(options, "enforce_eager"),
            process=_flag_or_none(options, "process"),
            room=Room.read(options),
            reasoning_parser=options.text("reasoning_parser"),
        )
        options.done()
        for key in ("max_model_len", "max_images", "max_num_seqs", "kv_gib", "tensor_parallel_size"):
            if getattr(read, key) < (1 if key == "tensor_parallel_size" else 0):
                raise InputError(f"{spec}: the option {key}={spec.options[key]} is too small")
        if not 0 <= read.gpu_memory_utilization <= 1:
            raise InputError(f"{spec}: the option gpu_memory_utilization must lie between 0 and 1")
        return read

    def source(self) -> dict[str, Any]:
        """Returns which version of the model is meant, as every loader takes it."""
        return {"revision": self.revision or None, "trust_remote_code": self.trust_remote_code}

    def arguments(
        self, model: str, on_cpu: bool, takes_images: bool, adapter: Adapter | None
    ) -> dict[str, Any]:
        """Returns the arguments of `vllm.EngineArgs`.

        Args:
            model: Local folder or name on the Hub.
            on_cpu: Whether this vLLM computes on a CPU.
            takes_images: Whether the model can read images, whatever `max_images` says.
            adapter: The LoRA adapter, if any.
        """
        longest = self.max_model_len or self._length(model, _LONGEST_CPU if on_cpu else _LONGEST_GPU)
        arguments: dict[str, Any] = {
            "model": model,
            "dtype": self.dtype or ("float32" if on_cpu else "auto"),
            "max_model_len": longest,
            "tensor_parallel_size": self.tensor_parallel_size,
            "enable_prefix_caching": True,
            "enforce_eager": on_cpu if self.enforce_eager is None else self.enforce_eager,
            "disable_log_stats": True,
            # Without the second key small models pad JSON with blanks until they are cut off.
            "structured_outputs_config": {"backend": "xgrammar", "disable_any_whitespace": True},
            **self.source(),
        }
        if takes_images:
            arguments["limit_mm_per_prompt"] = {"image": self.max_images}
        if on_cpu:
            # A seeded request whose prompt is split into chunks kills vLLM 0.32 on a CPU.
            arguments |= {"enable_chunked_prefill": False, "max_num_batched_tokens": max(8192, longest or 0)}
        if on_cpu or self.kv_gib:
            arguments["kv_cache_memory_bytes"] = int((self.kv_gib or 1) * 2**30)
        if self.max_num_seqs or on_cpu:
            arguments["max_num_seqs"] = self.max_num_seqs or 64
        if self.gpu_memory_utilization:
            arguments["gpu_memory_utilization"] = self.gpu_memory_utilization
        if self.quantization:
            arguments["quantization"] = self.quantization
        if adapter:
            arguments |= {"enable_lora": True, "max_lora_rank": adapter.rank, "max_loras": 1}
            arguments["enable_tower_connector_lora"] = adapter.tower
        return arguments

    def prepare_environment(self) -> None:
        """Sets what vLLM reads from the environment when it is imported; what the user set stays."""
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        # vLLM otherwise pins its threads to cores of its own choosing, beside the session's.
        os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
        if self.kv_gib:  # which vLLM lets its own variable of whole GiB overrule
            os.environ.pop("VLLM_CPU_KVCACHE_SPACE", None)

    def _length(self, model: str, cap: int) -> int | None:
        from transformers import AutoConfig

        own = getattr(
            AutoConfig.from_pretrained(model, **self.source()).get_text_config(),
            "max_position_embeddings",
            None,
        )
        return min(int(own), cap) if own else None


def _flag_or_none(options: Options, key: str) -> bool | None:
    value = options.flag(key)
    return value if key in options.spec.options else None
