"""The options of a model in vLLM, and the arguments that vLLM is given for them."""

from __future__ import annotations

import os
from typing import Any

from pydantic import Field

from mirror_bench.engines.answers import RoomOptions
from mirror_bench.engines.checkpoints import Adapter

# Options that decide no answer, only speed, memory and what is refused.
OUTPUT_NEUTRAL_OPTIONS = frozenset(
    {"tensor_parallel_size", "gpu_memory_utilization", "max_num_seqs", "kv_gib", "enforce_eager", "process"}
    | {"max_model_len", "max_images", "trust_remote_code"}
)
# Without a given max_model_len: room for a judge's reading of a long session, not for 128k tokens of cache.
_LONGEST_CPU, _LONGEST_GPU = 8192, 16384


class VllmOptions(RoomOptions):
    """The options of one model; 0, "" and None leave the choice to `arguments`. See `VllmEngine` for each."""

    dtype: str = ""
    max_model_len: int = Field(0, ge=0)
    max_images: int = Field(16, ge=0)
    max_num_seqs: int = Field(0, ge=0)
    kv_gib: float = Field(0.0, ge=0)
    gpu_memory_utilization: float = Field(0.0, ge=0, le=1)
    tensor_parallel_size: int = Field(1, ge=1)
    lora: str = ""
    quantization: str = ""
    revision: str = ""
    trust_remote_code: bool = False
    enforce_eager: bool | None = None
    process: bool | None = None
    reasoning_parser: str = ""

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
