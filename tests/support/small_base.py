"""A base language model in miniature, with the special tokens of SmolLM2: for tests of all around it."""

from __future__ import annotations

from pathlib import Path

from baselines.architecture import template_texts
from baselines.recipe import SightedRecipe
from baselines.smol.body import RENAMED
from baselines.smol.looks import load_looks

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *RENAMED)


def save_small_base(folder: Path) -> Path:
    """Writes a Llama with random weights and a tokenizer to `folder`; returns it."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    words = [f" {word}" for look in load_looks() for word in look.words] * 3
    trainer = trainers.BpeTrainer(
        vocab_size=3000,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([*words, *template_texts()], trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        bos_token="<|im_start|>",
        pad_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        additional_special_tokens=list(RENAMED),
    )
    config = LlamaConfig(
        vocab_size=-(-len(fast) // 64) * 64,
        hidden_size=128,
        intermediate_size=192,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        eos_token_id=fast.eos_token_id,
        bos_token_id=fast.bos_token_id,
        pad_token_id=fast.pad_token_id,
    )
    torch.manual_seed(0)
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def small_recipe(base: Path) -> SightedRecipe:
    """Returns a recipe that is done in seconds; it learns nothing worth having."""
    return SightedRecipe.model_validate(
        {
            "title": "small",
            "kind": "sighted",
            "base": str(base),
            "eyes": {"width": 32, "layers": 1, "heads": 2, "faces": 57, "held_out": 19, "steps": 3}
            | {"batch": 19, "processes": 1, "image": 84, "patch": 14, "shuffle": 3},
            "speech": {
                "first": 2,
                "first_captions": 4,
                "lessons": 4,
                "batch": 2,
                "captions": 1,
                "questions": 2,
            }
            | {"plan_every": 1, "letter_every": 1, "rise": 2, "fall": 0.5, "lowest": 1}
            | {"rank": 4, "alpha": 8, "learning_rate": 0.02},
        }
    )
