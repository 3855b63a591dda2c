import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from baselines.architecture import ModelSize, save_untrained
from baselines.lora import fine_tune, read_examples
from baselines.recipe import LoraRecipe
from baselines.train import main
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.errors import InputError

pytestmark = pytest.mark.xdist_group("training")
SMALL = {"kind": "lora", "title": "small", "rank": 4, "alpha": 8, "precision": "fp32", "epochs": 1}


def test_only_the_train_split_of_a_split_source_is_read() -> None:
    made = read_examples(LoraRecipe(base="x", **SMALL))
    train = {profile.id for profile in load_mini().profiles if profile.split == "train"}
    assert {example.profile.id for example in made} <= train
    assert any(example.id.endswith(":state") for example in made)


@pytest.mark.engine
@pytest.mark.slow
def test_a_small_base_is_fine_tuned_and_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from safetensors.torch import load_file

    from baselines import lora

    size = ModelSize(vision_width=32, vision_layers=1, text_width=32, text_layers=1, heads=2, positions=8192)
    base = save_untrained(tmp_path / "base", 0, size)
    recipe = LoraRecipe(base=str(base), batch=4, learning_rate=0.01, max_length=8192, **SMALL)
    monkeypatch.setattr(lora, "read_examples", lambda recipe: read_examples(recipe)[:8])
    figures = fine_tune(recipe, tmp_path / "out", lambda _: None)
    assert len(figures["losses"]) == 2
    before, after = (load_file(folder / "model.safetensors") for folder in (base, tmp_path / "out"))
    assert set(before) == set(after)
    changed = {name for name in before if not before[name].equal(after[name])}
    assert any("connector" in name for name in changed)
    assert any("text_model" in name for name in changed)
    assert not any("vision_model" in name for name in changed)
    assert json.loads((tmp_path / "out" / "training.json").read_text())["examples"] == 8


def test_missing_weights_are_refused_in_one_line(tmp_path: Path) -> None:
    recipe = LoraRecipe(base=str(tmp_path / "nowhere"), **SMALL)
    with pytest.raises(InputError, match=r"base: .*cannot be loaded") as caught:
        fine_tune(recipe, tmp_path / "out", lambda _: None)
    assert "\n" not in str(caught.value)


def test_the_papers_recipe_asks_for_a_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    path = Path(__file__).resolve().parents[2] / "baselines" / "recipes" / "llava-1.5-7b.yaml"
    result = CliRunner().invoke(main, [str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "needs a GPU" in result.output
    assert not (tmp_path / "out").exists()
