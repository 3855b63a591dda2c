"""The tiny vision-language model of the reference baseline: Idefics3, the SmolVLM family, in miniature.

transformers saves Idefics3 in a form that vLLM loads without renaming a weight, which is why the reference
model is of this family. A folder written here is complete: weights, tokenizer, image processor and template.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

TEMPLATES = Path(__file__).resolve().parent / "templates"
NOT_SAID = frozenset({"openers.yaml"})
"""Templates of the large reference alone: they are no part of the tiny model's vocabulary."""

PAD, UNKNOWN, END = "<pad>", "<unk>", "<end_of_utterance>"
IMAGE, AROUND_IMAGE, WHOLE_IMAGE = "<image>", "<fake_token_around_image>", "<global-img>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
SPECIAL = (PAD, UNKNOWN, END, IMAGE, AROUND_IMAGE, WHOLE_IMAGE, *ROLES)

# The trailing newline of a turn is outside the generated part, so that the model ends a reply with one token.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ '<|' + message['role'] + '|>' }}"
    "{%- if message['content'] is string -%}{{ message['content'] }}"
    "{%- else -%}{%- for content in message['content'] -%}"
    "{%- if content['type'] == 'text' -%}{{ content['text'] }}"
    "{%- elif content['type'] in ['image', 'image_url'] -%}{{ '<image>' }}{%- endif -%}"
    "{%- endfor -%}{%- endif -%}"
    "{{ '<end_of_utterance>\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|assistant|>' }}{%- endif -%}"
)


@dataclass(frozen=True)
class ModelSize:
    """How large the model is.

    Attributes:
        image: Side of the square image that the vision tower reads, in pixels.
        patch: Side of one patch, in pixels.
        shuffle: Pixel-shuffle factor of the connector: `shuffle`^2 patches make one image token.
        vision_width: Width of the vision tower.
        vision_layers: Layers of the vision tower.
        text_width: Width of the language model.
        text_layers: Layers of the language model.
        heads: Attention heads of both towers.
        vocabulary: Upper bound of the tokenizer's entries.
        positions: Longest sequence, in tokens.
    """

    image: int = 84
    patch: int = 14
    shuffle: int = 2
    vision_width: int = 128
    vision_layers: int = 4
    text_width: int = 256
    text_layers: int = 4
    heads: int = 4
    vocabulary: int = 4096
    positions: int = 2048

    @property
    def image_tokens(self) -> int:
        """Tokens that one image takes in the language model, without the three that frame it."""
        return (self.image // self.patch // self.shuffle) ** 2


def template_texts() -> Iterator[str]:
    """Yields every text of the packaged templates: enough to make a tokenizer of."""
    for path in sorted(TEMPLATES.glob("*.yaml")):
        if path.name in NOT_SAID:
            continue
        yield from _texts(yaml.safe_load(path.read_text(encoding="utf-8")))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _texts(entry)


def make_processor(texts: Iterable[str], size: ModelSize) -> Any:
    """Returns an Idefics3 processor: a byte-level BPE tokenizer learnt from `texts`, images as one tile.

    Args:
        texts: What the tokenizer learns its merges from; any other text can still be encoded, in more tokens.
        size: Decides the image's side and the vocabulary.
    """
    from PIL import Image
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import Idefics3Processor, PreTrainedTokenizerFast
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size.vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        unk_token=UNKNOWN,
        eos_token=END,
        additional_special_tokens=[IMAGE, AROUND_IMAGE, WHOLE_IMAGE, *ROLES],
        padding_side="left",
        model_max_length=size.positions,
        clean_up_tokenization_spaces=False,
    )
    # Made by its own name, since the general one warns where torchvision is missing.
    images = Idefics3ImageProcessorPil(
        size={"longest_edge": size.image},
        max_image_size={"longest_edge": size.image},
        do_image_splitting=False,
        resample=Image.Resampling.BILINEAR,
    )
    return Idefics3Processor(
        image_processor=images,
        tokenizer=wrapped,
        image_seq_len=size.image_tokens,
        chat_template=CHAT_TEMPLATE,
    )


def make_model(processor: Any, size: ModelSize, seed: int = 0) -> Any:
    """Returns an Idefics3 model with random weights (fp32), made for `processor`.

    The vision tower starts from Xavier weights and sin-cos positions: from the default initialisation it
    learns next to nothing in the few minutes that a CPU is given.
    """
    import torch
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration

    tokens = processor.tokenizer
    vocabulary = -(-len(tokens) // 64) * 64  # vLLM pads to 64 anyway
    ids = {"pad_token_id": tokens.pad_token_id, "eos_token_id": tokens.eos_token_id, "bos_token_id": None}
    config = Idefics3Config(
        vision_config={
            "hidden_size": size.vision_width,
            "intermediate_size": 4 * size.vision_width,
            "num_hidden_layers": size.vision_layers,
            "num_attention_heads": size.heads,
            "image_size": size.image,
            "patch_size": size.patch,
        },
        text_config={
            "model_type": "llama",
            "vocab_size": vocabulary,
            "hidden_size": size.text_width,
            "intermediate_size": 8 * size.text_width // 3 // 16 * 16,
            "num_hidden_layers": size.text_layers,
            "num_attention_heads": size.heads,
            "num_key_value_heads": size.heads,
            "max_position_embeddings": size.positions,
            "tie_word_embeddings": True,
            **ids,
        },
        scale_factor=size.shuffle,
        image_token_id=tokens.convert_tokens_to_ids(IMAGE),
        tie_word_embeddings=True,
        **ids,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Idefics3ForConditionalGeneration(config).float()
        initialise_vision(model.model.vision_model)
    # A saved number of new tokens would overrule the lengths that callers such as lm-eval ask for.
    model.generation_config.update(max_length=size.positions, do_sample=False, **ids)
    return model


def initialise_vision(tower: Any) -> None:
    """Gives a vision tower Xavier weights and two-dimensional sin-cos positions."""
    import torch

    for name, parameter in tower.named_parameters():
        if parameter.dim() > 1 and "embedding" not in name:
            torch.nn.init.xavier_uniform_(parameter)
        elif name.endswith("bias"):
            torch.nn.init.zeros_(parameter)
    embeddings = tower.embeddings
    patches = embeddings.patch_embedding.weight
    torch.nn.init.xavier_uniform_(patches.data.view(patches.shape[0], -1))
    side, quarter = embeddings.image_size // embeddings.patch_size, embeddings.embed_dim // 4
    rates = 1.0 / 10000 ** (torch.arange(quarter) / quarter)
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    angles = [axis.reshape(-1, 1) * rates for axis in (rows, columns)]
    positions = torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], dim=1)
    embeddings.position_embedding.weight.data.copy_(positions)


def save(folder: Path, model: Any, processor: Any) -> Path:
    """Writes model and processor to `folder` as transformers and vLLM load them; returns `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder, safe_serialization=True)
    processor.save_pretrained(folder)
    return folder


def save_untrained(folder: Path, seed: int = 0, size: ModelSize | None = None) -> Path:
    """Writes a complete checkpoint with random weights: for tests of engines, which need no sense.

    Args:
        folder: Where to write; made where missing.
        seed: Of the weights; the same seed gives the same bytes.
        size: How large; by default that of the reference model (about 5 M parameters).
    """
    size = size or ModelSize()
    processor = make_processor(template_texts(), size)
    return save(folder, make_model(processor, size, seed), processor)


def describe(size: ModelSize) -> dict[str, int]:
    """Returns the size as plain figures, for a model card."""
    return asdict(size) | {"image_tokens": size.image_tokens}
