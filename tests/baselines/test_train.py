import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from baselines.recipe import Recipe, load_recipe, recipe_path
from baselines.train import is_trained, main, train
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.errors import InputError

pytestmark = pytest.mark.xdist_group("training")
RECIPES = Path(__file__).resolve().parents[2] / "baselines" / "recipes"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    recipe = load_recipe(RECIPES / "smoke.yaml")
    assert isinstance(recipe, Recipe)
    said: list[str] = []
    out = tmp_path_factory.mktemp("smoke") / "model"
    train(recipe, out, said.append)
    return out, said


def figures(folder: Path) -> Any:
    return json.loads((folder / "training.json").read_text())


@pytest.mark.engine
@pytest.mark.slow
def test_training_writes_a_complete_checkpoint_with_its_card(trained: tuple[Path, list[str]]) -> None:
    folder, said = trained
    written = {path.name for path in folder.iterdir()}
    assert written >= {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "processor_config.json",
        "chat_template.jinja",
        "generation_config.json",
        "README.md",
        "loss.png",
        "training.json",
    }
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")
    card = (folder / "README.md").read_text()
    assert f"{figures(folder)['expression_accuracy']:.1%}" in card
    assert "**no therapist**" in card
    assert any(line.startswith("vision") for line in said)
    assert any(line.startswith("joint") for line in said)


@pytest.mark.engine
@pytest.mark.slow
def test_training_reads_the_train_split_alone(trained: tuple[Path, list[str]]) -> None:
    read = set(figures(trained[0])["profiles"])
    assert read == {profile.id for profile in load_mini().profiles if profile.split == "train"}


@pytest.mark.engine
@pytest.mark.slow
def test_a_trained_checkpoint_answers_with_and_without_a_face(trained: tuple[Path, list[str]]) -> None:
    from transformers import AutoModelForImageTextToText, AutoProcessor

    from baselines.evaluate import generate
    from baselines.faceset import draw_png, sitters
    from baselines.grammar import load_grammar
    from mirror_bench.engines.base import ImagePart, Message
    from mirror_bench.therapists.prompts import caption_messages

    processor = AutoProcessor.from_pretrained(trained[0])
    model = AutoModelForImageTextToText.from_pretrained(trained[0])
    shown = sitters(load_grammar().seen, 2, split="held-out", seed=0, weakest=0.5)
    asked = [caption_messages(ImagePart(draw_png(sitter))) for sitter in shown]
    assert len(generate(model, processor, asked, 8)) == 2
    assert len(generate(model, processor, [(Message("user", ("Hello.",)),)], 8)) == 1


@pytest.mark.engine
@pytest.mark.slow
def test_the_same_recipe_gives_the_same_model(trained: tuple[Path, list[str]], tmp_path: Path) -> None:
    recipe = load_recipe(RECIPES / "smoke.yaml")
    assert isinstance(recipe, Recipe)
    again = train(recipe, tmp_path / "again", lambda _: None)
    first = figures(trained[0])
    assert again["data_digest"] == first["data_digest"]
    assert again["loss"]["words"] == pytest.approx(first["loss"]["words"], rel=1e-3)


@pytest.mark.engine
@pytest.mark.slow
def test_what_is_trained_already_is_left_alone(trained: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, _ = trained
    recipe = load_recipe(RECIPES / "smoke.yaml")
    assert isinstance(recipe, Recipe)
    assert is_trained(recipe, folder)
    result = CliRunner().invoke(main, ["smoke", "--out", str(folder), "--unless-trained"])
    assert result.exit_code == 0
    assert "already trained" in result.output
    assert not is_trained(recipe.model_copy(update={"seed": 1}), folder)
    torn = tmp_path / "torn"
    shutil.copytree(folder, torn)
    (torn / "model.safetensors").unlink()
    assert not is_trained(recipe, torn)
    assert not is_trained(recipe, tmp_path / "nothing")


def test_a_recipe_may_be_given_by_its_name() -> None:
    assert recipe_path("tiny") == RECIPES / "tiny.yaml"
    with pytest.raises(
        InputError,
        match=r"none of the packaged recipes \(llava-1.5-7b, qwen2.5-vl-7b, smoke, smol, static, tiny\)",
    ):
        recipe_path("nowhere")


@pytest.mark.parametrize(
    ("text", "message"),
    [("title: x\nfoo: 1", "foo: no such key"), (None, "no such file")],
)
def test_a_wrong_recipe_ends_with_one_line(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "recipe.yaml"
    if text is not None:
        path.write_text(text)
    result = CliRunner().invoke(main, [str(path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
