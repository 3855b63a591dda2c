"""The reference's body: the base language model with eyes, as an Idefics3 that transformers and vLLM open.

Nothing is added to the vocabulary: three special tokens of the base that no text uses take the names of the
image tokens, so every weight of the language model stays as it was published.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from baselines.architecture import AROUND_IMAGE, IMAGE, WHOLE_IMAGE
from baselines.recipe import EyesPart
from baselines.smol.base import Base

RENAMED = {"<repo_name>": IMAGE, "<file_sep>": AROUND_IMAGE, "<filename>": WHOLE_IMAGE}
"""Special tokens of SmolLM2 that mark files in source code -> what they mean here."""
END = "<|im_end|>"
ASSISTANT = "<|im_start|>assistant\n"
POSITIONS = 8192

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{%- if message['content'] is string -%}{{ message['content'] }}"
    "{%- else -%}{%- for content in message['content'] -%}"
    "{%- if content['type'] == 'text' -%}{{ content['text'] }}"
    "{%- elif content['type'] in ['image', 'image_url'] -%}{{ '<image>' }}{%- endif -%}"
    "{%- endfor -%}{%- endif -%}"
    "{{ '<|im_end|>\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)
"""ChatML as the base was trained on, images in their places, and no system message of its own."""


def make_processor(tokenizer: Any, part: EyesPart) -> Any:
    """Returns an Idefics3 processor with the base's tokenizer; one tile of `part.image` pixels an image."""
    from PIL import Image
    from transformers import Idefics3Processor, PreTrainedTokenizerFast
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    images = Idefics3ImageProcessorPil(
        size={"longest_edge": part.image},
        max_image_size={"longest_edge": part.image},
        do_image_splitting=False,
        resample=Image.Resampling.BILINEAR,
    )
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        text = (Path(folder) / "tokenizer.json").read_text(encoding="utf-8")
        for old, new in RENAMED.items():
            text = text.replace(json.dumps(old), json.dumps(new))
        renamed = Path(folder) / "renamed.json"
        renamed.write_text(text, encoding="utf-8")
        wrapped = PreTrainedTokenizerFast(
            tokenizer_file=str(renamed),
            bos_token="<|im_start|>",
            eos_token=END,
            pad_token="<|endoftext|>",
            unk_token="<|endoftext|>",
            additional_special_tokens=[IMAGE, AROUND_IMAGE, WHOLE_IMAGE],
            padding_side="left",
            model_max_length=POSITIONS,
            clean_up_tokenization_spaces=False,
        )
    return Idefics3Processor(
        image_processor=images,
        tokenizer=wrapped,
        image_seq_len=part.image_tokens,
        chat_template=CHAT_TEMPLATE,
    )


def make_config(base_config: Any, processor: Any, part: EyesPart) -> Any:
    """Returns the configuration of an Idefics3 of the base's size with eyes of the recipe's."""
    from transformers import Idefics3Config

    tokens = processor.tokenizer
    text = base_config.to_dict()
    for key in ("architectures", "_name_or_path", "_model_name_or_path", "dtype", "transformers_version"):
        text.pop(key, None)
    ids = {
        "pad_token_id": tokens.pad_token_id,
        "eos_token_id": tokens.eos_token_id,
        "bos_token_id": tokens.bos_token_id,
    }
    return Idefics3Config(
        vision_config={
            "hidden_size": part.width,
            "intermediate_size": 4 * part.width,
            "num_hidden_layers": part.layers,
            "num_attention_heads": part.heads,
            "image_size": part.image,
            "patch_size": part.patch,
        },
        text_config=text | {"tie_word_embeddings": True} | ids,
        scale_factor=part.shuffle,
        image_token_id=tokens.convert_tokens_to_ids(IMAGE),
        tie_word_embeddings=True,
        **ids,
    )


def join(base: Base, eyes: Any, processor: Any, config: Any) -> Any:
    """Returns the whole model in float32: the base's weights, and the eyes' (an `eyes.Eyes`)."""
    from transformers import Idefics3ForConditionalGeneration

    model = Idefics3ForConditionalGeneration(config).float()
    model.model.text_model.load_state_dict(base.model.model.state_dict())
    model.lm_head.weight = model.model.text_model.embed_tokens.weight
    model.model.vision_model.load_state_dict(eyes.vision_model.state_dict())
    model.model.connector.load_state_dict(eyes.connector.state_dict())
    tokens = processor.tokenizer
    model.generation_config.update(
        max_length=POSITIONS,
        do_sample=False,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
    )
    return model
