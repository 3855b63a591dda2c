"""Tiny models of several families with random weights, as complete folders like a user's checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from baselines import architecture

CONTEXT = 1024
IMAGE = "<image>"
_ENDS = "<|im_end|>"
_SIDE = 56

# One template per habit: contents as texts alone, as lists alone, as either.
LLAMA_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] + eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
LLAVA_TEMPLATE = (
    "{% for m in messages %}{{ m['role'].upper() }}: "
    "{% for c in m['content'] if c['type'] == 'image' %}<image>\n{% endfor %}"
    "{% for c in m['content'] if c['type'] == 'text' %}{{ c['text'] }} {% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
QWEN_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif 'text' in c %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class Family(NamedTuple):
    """A family of models.

    Attributes:
        save: Writes a complete checkpoint to a folder.
        images: How many images one request may hold; 0 for text alone.
        options: With which it is opened.
    """

    save: Callable[[Path], Path]
    images: int
    options: str = ""


def save_llama(folder: Path) -> Path:
    """Writes a Llama for text alone, whose tokenizer has no token for padding."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _tokenizer(("<s>", "</s>"), bos_token="<s>", eos_token="</s>", chat_template=LLAMA_TEMPLATE)
    config = LlamaConfig(**_text(tokenizer), rms_norm_eps=1e-5)
    return _save(folder, LlamaForCausalLM, config, tokenizer)


def save_qwen2_vl(folder: Path) -> Path:
    """Writes a Qwen2-VL, which reads many images of any size, and videos beside."""
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

    vision = {"depth": 2, "embed_dim": 64, "hidden_size": 64, "num_heads": 4, "mlp_ratio": 2}
    return _save_qwen(folder, Qwen2VLForConditionalGeneration, Qwen2VLConfig, vision, "Qwen2VLProcessor")


def save_qwen2_5_vl(folder: Path) -> Path:
    """Writes a Qwen2.5-VL, whose vision tower has layers called like those of its language model."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    vision: dict[str, Any] = {"depth": 2, "hidden_size": 64, "intermediate_size": 96, "num_heads": 4}
    vision |= {"out_hidden_size": 64, "fullatt_block_indexes": [1], "window_size": 28}
    return _save_qwen(
        folder, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLConfig, vision, "Qwen2_5_VLProcessor"
    )


def _save_qwen(
    folder: Path, kind: Any, configuration: Any, vision: Mapping[str, Any], processor: str
) -> Path:
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    special = ("<|im_start|>", _ENDS, "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
    tokenizer = _tokenizer(
        ("<pad>", *special), pad_token="<pad>", eos_token=_ENDS, chat_template=QWEN_TEMPLATE
    )
    text = _text(tokenizer, num_key_value_heads=1)
    text["rope_parameters"] = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 6, 6]}
    config = configuration(
        text_config=text,
        vision_config={**vision, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2},
        image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
        vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_end|>"),
    )
    _save(folder, kind, config, tokenizer)
    images = Qwen2VLImageProcessorPil(size={"shortest_edge": _SIDE**2, "longest_edge": _SIDE**2}).to_dict()
    names = {"image_processor_type": "Qwen2VLImageProcessor", "processor_class": processor}
    # Written by hand: the processor's own `save_pretrained` wants its processor of videos, hence torchvision.
    (folder / "preprocessor_config.json").write_text(json.dumps(images | names))
    return folder


def save_llava(folder: Path) -> Path:
    """Writes a LLaVA, trained on one image in a request."""
    from safetensors.torch import load_file, save_file
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    tokenizer = _tokenizer(
        ("<s>", "</s>", "<pad>", IMAGE), bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    vision = CLIPVisionConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=_SIDE,
        patch_size=14,
        projection_dim=64,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=LlamaConfig(**_text(tokenizer)),
        image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        image_seq_length=(_SIDE // 14) ** 2,
        vision_feature_layer=-1,
    )
    _save(folder, LlavaForConditionalGeneration, config, tokenizer)
    LlavaProcessor(
        CLIPImageProcessorPil(size={"shortest_edge": _SIDE}, crop_size={"height": _SIDE, "width": _SIDE}),
        tokenizer,
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=LLAVA_TEMPLATE,
    ).save_pretrained(folder)
    # Published checkpoints have the names of an older transformers, and vLLM knows no others.
    weights = {
        name.replace("vision_tower.", "vision_tower.vision_model."): values
        for name, values in load_file(folder / "model.safetensors").items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def save_idefics3(folder: Path) -> Path:
    """Writes an Idefics3, the family of the reference therapist, which reads many images."""
    size = architecture.ModelSize(
        image=_SIDE,
        vision_width=64,
        vision_layers=2,
        text_width=64,
        text_layers=2,
        vocabulary=512,
        positions=CONTEXT,
    )
    return architecture.save_untrained(folder, size=size)


FAMILIES = {
    "llama": Family(save_llama, 0),
    "qwen2-vl": Family(save_qwen2_vl, 16),
    "llava": Family(save_llava, 1, "?max_images=1"),
    "idefics3": Family(save_idefics3, 16),
}


def _tokenizer(special: tuple[str, ...], **options: Any) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=512,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(architecture.template_texts(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        additional_special_tokens=list(special),
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        **options,
    )


def _text(tokenizer: Any, **changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": -(-len(tokenizer) // 64) * 64,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,  # vLLM's attention on a CPU wants heads of 32 or more
        "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    } | changes


def _save(folder: Path, kind: Any, config: Any, tokenizer: Any) -> Path:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = kind(config).float()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
