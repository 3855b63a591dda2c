"""The recipes for published models, whole, on random models of the same classes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from families import save_llava, save_qwen2_5_vl

from baselines.lora import encode, fine_tune, read_examples
from baselines.recipe import RECIPES, LoraRecipe, load_recipe
from baselines.train import main
from mirror_bench.errors import InputError

pytestmark = pytest.mark.xdist_group("training")
ROOT = Path(__file__).resolve().parents[2]
SAVE = {"llava-1.5-7b": save_llava, "qwen2.5-vl-7b": save_qwen2_5_vl}
SMALL = {"rank": 4, "alpha": 8, "learning_rate": 0.02, "projector_learning_rate": 0.01, "precision": "fp32"}
SMALL |= {"batch": 2, "epochs": 2, "save_every": 1, "max_length": 4096, "form": "ec_planning"}
TALK = "\n".join(
    f"Therapist: [Nods] What of the week, number {turn}?\nClient: [Looks away] Nothing, as ever."
    for turn in range(3)
)
PLAN = "CBT technique: Reality Testing\nCounseling planning:\n1. Ask.\n2. Count."


@pytest.fixture(scope="module", params=SAVE)
def recipe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LoraRecipe:
    """A packaged recipe, on a random model of its class and on one client's screenplay."""
    folder = tmp_path_factory.mktemp(request.param)
    row = {"idx": "cactus-1-emotional-resistance", "personal_info": "Ana is a 31-year-old female."}
    row |= {"dialogue": TALK, "cbt_plan": PLAN, "reason_for_seeking_counseling": "I do not sleep."}
    (folder / "mirror_data.json").write_text(json.dumps([row]))
    base = SAVE[request.param](folder / "base")
    packaged = load_recipe(RECIPES / f"{request.param}.yaml")
    return LoraRecipe.model_validate(
        {**packaged.model_dump(), "base": str(base), "data": f"mirror:{folder / 'mirror_data.json'}", **SMALL}
    )


@pytest.fixture(scope="module")
def trained(recipe: LoraRecipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "model"
    figures = fine_tune(recipe, out, lambda _: None)
    assert len(figures["losses"]) == 4
    assert figures["examples"] == 4, "two replies, and two faces to name"
    return out


def weights(folder: Path) -> dict[str, Any]:
    from transformers import AutoModelForImageTextToText

    return dict(AutoModelForImageTextToText.from_pretrained(folder).state_dict())


@pytest.mark.slow
def test_language_layers_and_projector_learn_and_the_eyes_do_not(recipe: LoraRecipe, trained: Path) -> None:
    before, after = weights(Path(recipe.base)), weights(trained)
    assert before.keys() == after.keys()
    changed = {name for name in before if not before[name].equal(after[name])}
    layers = {name for name in changed if "language_model.layers" in name}
    kinds = {name.split(".")[-2] for name in layers}
    assert kinds == {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    rest = changed - layers
    assert rest
    assert all("multi_modal_projector" in name or "merger" in name for name in rest)


@pytest.mark.slow
def test_the_merged_model_answers_as_base_and_adapter_do(recipe: LoraRecipe, trained: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from mirror_bench.engines.without_video import spare_videos

    spare_videos()
    processor = AutoProcessor.from_pretrained(trained)
    base = AutoModelForImageTextToText.from_pretrained(recipe.base)
    apart = PeftModel.from_pretrained(base, str(trained / "adapter")).eval()
    merged = AutoModelForImageTextToText.from_pretrained(trained).eval()
    inputs = encode(processor, read_examples(recipe)[1], 4096)
    with torch.no_grad():
        one, other = apart(**inputs).logits, merged(**inputs).logits
    assert torch.allclose(one, other, atol=1e-4)


@pytest.mark.slow
def test_card_and_figures_say_what_was_done(recipe: LoraRecipe, trained: Path) -> None:
    card = (trained / "README.md").read_text()
    assert recipe.title in card
    assert "**no therapist**" in card
    assert str(Path(recipe.base).parent) not in card, "no path of a machine"
    assert not (trained / ".training").exists()
    said: list[str] = []
    fine_tune(recipe, trained, said.append)
    assert "already trained" in said[0]


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_same_weights(
    recipe: LoraRecipe, trained: Path, tmp_path: Path
) -> None:
    if "qwen" in recipe.title.lower():
        pytest.skip("what is kept does not hang on the family: one is killed")
    path, out = tmp_path / "recipe.yaml", tmp_path / "model"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    command = [sys.executable, "-m", "baselines.train", str(path), "--out", str(out)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("lora          2/4"):
                process.send_signal(signal.SIGKILL)
                break
    assert not (out / "training.json").exists()
    said: list[str] = []
    figures = fine_tune(recipe, out, said.append)
    assert said[0].endswith("goes on")
    assert len(figures["losses"]) == 4
    expected, found = weights(trained), weights(out)
    assert all(found[name].allclose(values, atol=1e-6) for name, values in expected.items())
    (out / "training.json").unlink()
    (out / ".training").mkdir()
    (out / ".training" / "state.pt").write_bytes(b"torn")
    with pytest.raises(InputError, match="to begin anew"):
        fine_tune(recipe, out, said.append)


@pytest.mark.parametrize(
    ("name", "whole", "adapters"), [("llava-1.5-7b", "7,063 M", "224"), ("qwen2.5-vl-7b", "8,292 M", "196")]
)
def test_a_dry_run_counts_the_real_sizes_and_loads_nothing(name: str, whole: str, adapters: str) -> None:
    """The published checkpoints hold 7,063,427,072 and 8,292,166,656 parameters."""
    done = CliRunner().invoke(main, [name, "--dry-run", "--gpu", "h100"])
    assert done.exit_code == 0, done.output
    assert f"{whole} in all" in done.output
    assert f"in {adapters} matrices" in done.output
    for part in ("memory", "of 80 GB on h100: fits", "steps", "time      about"):
        assert part in done.output
    small = CliRunner().invoke(main, [name, "--dry-run", "--gpu", "l4"])
    assert small.exit_code == 1
    assert "does not fit; try checkpointing" in small.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["llava-1.5-7b", "--dry-run", "--gpu", "abacus"], "known are h200"),
        (["tiny", "--dry-run"], "goes with a recipe for LoRA"),
        (["tiny", "--data", "mini"], "goes with a recipe for LoRA"),
        (["llava-1.5-7b", "--form", "poem", "--dry-run"], "--form"),
        (["llava-1.5-7b", "--images", "nowhere", "--dry-run"], "is no folder"),
        (["llava-1.5-7b", "--images", ".", "--dry-run"], "gives no example"),
    ],
)
def test_a_wrong_choice_is_one_line(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert len(done.output.strip().splitlines()) == 1
