from pathlib import Path

import pytest

from baselines.recipe import LoraRecipe, Recipe, SightedRecipe, load_recipe
from mirror_bench.errors import InputError

RECIPES = Path(__file__).resolve().parents[2] / "baselines" / "recipes"


def test_packaged_recipes_are_valid() -> None:
    kinds = {path.stem: type(load_recipe(path)) for path in RECIPES.glob("*.yaml")}
    assert kinds == {
        "tiny": Recipe,
        "smoke": Recipe,
        "static": Recipe,
        "llava-1.5-7b": LoraRecipe,
        "qwen2.5-vl-7b": LoraRecipe,
        "smol": SightedRecipe,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: x\njoint: {stepz: 3}", "joint.stepz: no such key"),
        ("title: x\njoint: {steps: 0}", "joint.steps: input should be greater than or equal to 1"),
        ("title: x\nfaces: {weakest: 2}", "faces.weakest: input should be less than or equal to 1"),
        ("seed: 1", "title: field required"),
        ("title: x\nkind: magic", "kind: 'magic' must be"),
        ("title: x\nkind: lora", "base: field required"),
        ("- 1", "must hold a mapping"),
        ("title: x\nsize: {image: 50}", "size: image must be a multiple of patch times shuffle"),
        ("title: x\nsize: {text_width: 250}", "size: text_width must be a multiple of four times the heads"),
    ],
)
def test_a_wrong_recipe_is_refused_by_its_key(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"wrong\.yaml") as caught:
        load_recipe(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
