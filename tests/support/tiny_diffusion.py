"""A diffusion model in miniature, with random weights, of the classes that SDXL and IP-Adapter have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_DIM, _EMBEDDED, _PICTURE = 32, 16, 32


def save_tiny_sdxl(folder: Path) -> Path:
    """Writes a StableDiffusionXLPipeline with random weights to `folder`; returns it."""
    import torch
    from diffusers import (
        AutoencoderKL,
        EulerDiscreteScheduler,
        StableDiffusionXLPipeline,
        UNet2DConditionModel,
    )
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    torch.manual_seed(0)
    unet = UNet2DConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        sample_size=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 1),
        projection_class_embeddings_input_dim=6 * 8 + _DIM,
        cross_attention_dim=2 * _DIM,
    )
    vae = AutoencoderKL(
        block_out_channels=(16, 32, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=8,
        latent_channels=4,
        sample_size=64,
    )
    config = CLIPTextConfig(
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
        hidden_size=_DIM,
        intermediate_size=37,
        num_attention_heads=4,
        num_hidden_layers=2,
        vocab_size=600,
        projection_dim=_DIM,
    )
    StableDiffusionXLPipeline(
        vae=vae,
        unet=unet,
        text_encoder=CLIPTextModel(config),
        text_encoder_2=CLIPTextModelWithProjection(config),
        tokenizer=tiny_tokenizer(folder.parent / "tokenizer"),
        tokenizer_2=tiny_tokenizer(folder.parent / "tokenizer"),
        scheduler=EulerDiscreteScheduler(),
    ).save_pretrained(folder)
    return folder


def save_tiny_ip_adapter(folder: Path, base: Path) -> Path:
    """Writes an IP-Adapter with random weights for a tiny SDXL, with its image encoder, as on the Hub."""
    import torch
    from diffusers import UNet2DConditionModel
    from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
    from diffusers.models.embeddings import ImageProjection
    from safetensors.torch import save_file
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(1)
    unet = UNet2DConditionModel.from_pretrained(base, subfolder="unet")
    tensors: dict[str, Any] = {}
    number = 1
    for name in unet.attn_processors:
        if name.endswith("attn1.processor"):
            continue
        hidden = unet.config.block_out_channels[-1]
        own = IPAdapterAttnProcessor2_0(hidden, unet.config.cross_attention_dim, scale=1.0).state_dict()
        tensors[f"ip_adapter.{number}.to_k_ip.weight"] = own["to_k_ip.0.weight"]
        tensors[f"ip_adapter.{number}.to_v_ip.weight"] = own["to_v_ip.0.weight"]
        number += 2
    projected = ImageProjection(_EMBEDDED, unet.config.cross_attention_dim, 4).state_dict()
    for ours, theirs in (("image_embeds", "proj"), ("norm", "norm")):
        for part in ("weight", "bias"):
            tensors[f"image_proj.{theirs}.{part}"] = projected[f"{ours}.{part}"]
    (folder / "sdxl_models").mkdir(parents=True)
    save_file(tensors, folder / "sdxl_models" / "tiny.safetensors")
    CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=32,
            intermediate_size=37,
            num_attention_heads=4,
            num_hidden_layers=2,
            patch_size=8,
            image_size=_PICTURE,
            projection_dim=_EMBEDDED,
        )
    ).save_pretrained(folder / "models" / "image_encoder")
    return folder


def save_tiny_clip(folder: Path) -> Path:
    """Writes a CLIPModel with random weights and its processor to `folder`; returns it."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    torch.manual_seed(2)
    sizes = {"hidden_size": 32, "intermediate_size": 37, "num_attention_heads": 4, "num_hidden_layers": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = CLIPConfig(
        text_config={**sizes, **ends, "vocab_size": 600},
        vision_config={**sizes, "image_size": _PICTURE, "patch_size": 8},
        projection_dim=16,
    )
    CLIPModel(config).save_pretrained(folder)
    pictures = CLIPImageProcessor(
        size={"shortest_edge": _PICTURE}, crop_size={"height": _PICTURE, "width": _PICTURE}
    )
    CLIPProcessor(pictures, tiny_tokenizer(folder.parent / "tokenizer")).save_pretrained(folder)
    return folder


def tiny_tokenizer(folder: Path) -> Any:
    """Returns CLIP's tokenizer with letters for words."""
    from transformers import CLIPTokenizer

    letters = [chr(number) for number in range(33, 127)]
    names = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({name: place for place, name in enumerate(names)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return CLIPTokenizer.from_pretrained(folder)
