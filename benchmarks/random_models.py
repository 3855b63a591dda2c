"""Vision-language models of true shape with random weights, made on the spot: no download.

What a model costs in time and memory follows from its shape alone. The tokenizer is a small one, and the rows
of the output that it does not know are zero, so that no answer holds a token without words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from baselines.architecture import template_texts

IMAGE = "<image>"
_ENDS = "<|im_end|>"
_CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{% for c in m['content'] %}{% if c['type'] == 'image' %}IMAGE_PLACE"
    "{% elif 'text' in c %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Shape(NamedTuple):
    """How large a model is, as its configuration says it.

    Attributes:
        text: Of the language model.
        vision: Of the vision tower.
        side: Of the images that it is shown, in pixels.
    """

    text: Mapping[str, Any]
    vision: Mapping[str, Any]
    side: int


QWEN = Shape(
    {
        "vocab_size": 152064,
        "hidden_size": 3584,
        "intermediate_size": 18944,
        "num_hidden_layers": 28,
        "num_attention_heads": 28,
        "num_key_value_heads": 4,
        "max_position_embeddings": 32768,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
    },
    {
        "depth": 32,
        "hidden_size": 1280,
        "intermediate_size": 3420,
        "num_heads": 16,
        "out_hidden_size": 3584,
        "window_size": 112,
        "fullatt_block_indexes": [7, 15, 23, 31],
    },
    336,
)
LLAVA = Shape(
    {
        "vocab_size": 32064,
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "max_position_embeddings": 4096,
    },
    {
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "projection_dim": 768,
    },
    336,
)
_TINY_TEXT: dict[str, Any] = {
    "vocab_size": 576,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}
TINY_QWEN = Shape(
    _TINY_TEXT | {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 6, 6]}},
    {
        "depth": 2,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_heads": 4,
        "out_hidden_size": 64,
        "window_size": 56,
        "fullatt_block_indexes": [1],
    },
    56,
)
TINY_LLAVA = Shape(
    _TINY_TEXT,
    {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "projection_dim": 64,
    },
    56,
)


def save_qwen(folder: Path, shape: Shape, device: str) -> int:
    """Writes a Qwen2.5-VL as a complete checkpoint; returns its parameters."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    marks = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    tokenizer = _tokenizer(marks, "<|vision_start|><|image_pad|><|vision_end|>", shape)
    start, _, image, video = (tokenizer.convert_tokens_to_ids(mark) for mark in marks)
    config = Qwen2_5_VLConfig(
        text_config=dict(shape.text) | _special(tokenizer),
        vision_config=dict(shape.vision)
        | {"patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2},
        image_token_id=image,
        video_token_id=video,
        vision_start_token_id=start,
    )
    count = _save(folder, Qwen2_5_VLForConditionalGeneration, config, tokenizer, device)
    pixels = shape.side**2
    images = Qwen2VLImageProcessorPil(size={"shortest_edge": pixels, "longest_edge": pixels}).to_dict()
    names = {"image_processor_type": "Qwen2VLImageProcessor", "processor_class": "Qwen2_5_VLProcessor"}
    # By hand: the processor's own `save_pretrained` wants a processor of videos, which needs torchvision.
    (folder / "preprocessor_config.json").write_text(json.dumps(images | names))
    return count


def save_llava(folder: Path, shape: Shape, device: str) -> int:
    """Writes a LLaVA-1.5 as a complete checkpoint; returns its parameters."""
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = _tokenizer((IMAGE,), f"{IMAGE}\n", shape)
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**shape.vision, image_size=shape.side, patch_size=14),
        text_config=LlamaConfig(**shape.text, **_special(tokenizer)),
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        image_seq_length=(shape.side // 14) ** 2,
    )
    count = _save(folder, LlavaForConditionalGeneration, config, tokenizer, device)
    LlavaProcessor(
        CLIPImageProcessorPil(
            size={"shortest_edge": shape.side}, crop_size={"height": shape.side, "width": shape.side}
        ),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=tokenizer.chat_template,
    ).save_pretrained(folder)
    _with_older_names(folder)
    return count


class RandomModel(NamedTuple):
    """A family of which a model is made.

    Attributes:
        save: Writes the checkpoint.
        true: Its published shape.
        tiny: A shape for trying things on a CPU.
        images: Most images in a request.
    """

    save: Callable[[Path, Shape, str], int]
    true: Shape
    tiny: Shape
    images: int


MODELS: Mapping[str, RandomModel] = {
    "qwen2.5-vl-7b": RandomModel(save_qwen, QWEN, TINY_QWEN, 16),
    "llava-1.5-7b": RandomModel(save_llava, LLAVA, TINY_LLAVA, 1),
}


def _tokenizer(marks: tuple[str, ...], place: str, shape: Shape) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<|im_start|>", _ENDS, *marks]
    trainer = trainers.BpeTrainer(
        vocab_size=min(8192, shape.text["vocab_size"] - 8),
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(template_texts(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        additional_special_tokens=special,
        pad_token="<pad>",
        eos_token=_ENDS,
        model_max_length=shape.text["max_position_embeddings"],
        clean_up_tokenization_spaces=False,
        chat_template=_CHAT.replace("IMAGE_PLACE", place),
    )


def _special(tokenizer: Any) -> dict[str, Any]:
    return {
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _save(folder: Path, kind: Any, config: Any, tokenizer: Any, device: str) -> int:
    """Makes the weights where they are quickest to make, in half precision on a GPU."""
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32 if device == "cpu" else torch.bfloat16)
    try:
        torch.manual_seed(0)
        with torch.device(device), torch.no_grad():
            model = kind(config)
            model.get_output_embeddings().weight[len(tokenizer) :] = 0
    finally:
        torch.set_default_dtype(before)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    count = int(sum(parameter.numel() for parameter in model.parameters()))
    del model
    if device != "cpu":
        torch.cuda.empty_cache()
    return count


def _with_older_names(folder: Path) -> None:
    """Names the vision tower's weights as published checkpoints do; vLLM knows no other names."""
    from safetensors.torch import load_file, save_file

    def older(name: str) -> str:
        known = "vision_tower.vision_model." in name
        return name if known else name.replace("vision_tower.", "vision_tower.vision_model.")

    for path in folder.glob("*.safetensors"):
        weights = load_file(path)
        if any(older(name) != name for name in weights):
            renamed = {older(name): values for name, values in weights.items()}
            save_file(renamed, path, metadata={"format": "pt"})
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        told = json.loads(index.read_text())
        told["weight_map"] = {older(name): file for name, file in told["weight_map"].items()}
        index.write_text(json.dumps(told))


def save_tiny(folder: Path) -> Path:
    """Writes the tests' untrained tiny model, changed so that it never says a token without words.

    A session in which the client hears nothing fails, and figures over failed sessions would be wrong.
    """
    from safetensors.torch import load_file, save_file
    from transformers import AutoTokenizer

    from baselines.architecture import save_untrained

    save_untrained(folder)
    tokens = AutoTokenizer.from_pretrained(folder)
    path = folder / "model.safetensors"
    weights = load_file(path)
    (rows,) = (value for name, value in weights.items() if name.endswith("embed_tokens.weight"))
    # Every token is a word of its own: whole, and more than a blank or a mark.
    wordless = [
        number
        for number in range(len(rows))
        if number >= len(tokens) or not tokens.decode([number], skip_special_tokens=True).strip().isalpha()
    ]
    rows[wordless] = 0.0
    save_file(weights, path, metadata={"format": "pt"})
    return folder
