"""Who answers a chat request: engines, by name, and the memory of their answers."""

from mirror_bench.registry import Registry

ENGINES = Registry(
    "engine",
    {
        "vllm": "mirror_bench.engines.vllm:VllmEngine",
        "transformers": "mirror_bench.engines.transformers:TransformersEngine",
        "openai": "mirror_bench.engines.openai:OpenAIEngine",
        "scripted": "mirror_bench.engines.scripted:ScriptedEngine",
    },
)
