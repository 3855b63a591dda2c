from pathlib import Path

import pytest

from baselines.architecture import END, ModelSize, save_untrained


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_untrained(tmp_path_factory.mktemp("untrained") / "model")


@pytest.mark.slow
def test_an_untrained_checkpoint_loads_by_the_general_classes(folder: Path) -> None:
    from transformers import AutoModelForImageTextToText, AutoProcessor

    model = AutoModelForImageTextToText.from_pretrained(folder)
    processor = AutoProcessor.from_pretrained(folder)
    assert 3e6 < sum(parameter.numel() for parameter in model.parameters()) < 8e6
    assert processor.image_seq_len == ModelSize().image_tokens == 9
    assert model.generation_config.eos_token_id == processor.tokenizer.convert_tokens_to_ids(END)
    assert model.config.text_config.max_position_embeddings == 2048


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(folder: Path, tmp_path: Path) -> None:
    small = ModelSize(vision_width=64, vision_layers=1, text_width=64, text_layers=1)
    weights = [
        (save_untrained(tmp_path / name, seed, small) / "model.safetensors").read_bytes()
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert weights[0] == weights[1] != weights[2]


def test_any_text_survives_the_tokenizer(folder: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    text = "Żółć — \U0001f642 naïve?\n\tI’m fine."
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
