"""Who answers a chat request: engines, by name, and the memory of their answers."""

from mirror_bench.registry import Registry

ENGINES = Registry(
    "engine",
    {
        "vllm": "mirror_bench.engines.vllm.engine:VllmEngine",
        "transformers": "mirror_bench.engines.transformers.engine:TransformersEngine",
        "openai": "mirror_bench.engines.openai.engine:OpenAIEngine",
        "inspect": "mirror_bench.engines.inspect_model:InspectEngine",
        "scripted": "mirror_bench.engines.scripted:ScriptedEngine",
    },
)
