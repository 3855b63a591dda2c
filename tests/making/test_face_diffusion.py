"""Faces by diffusion: real diffusers classes with random weights, whose images no detector calls faces."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner

from mirror_bench.cli import cli
from mirror_bench.errors import InputError
from mirror_bench.making.faces.checks.base import ExaminedImage
from mirror_bench.making.faces.checks.clip import FitsDirection
from mirror_bench.making.faces.diffusion import DiffusionFaces, with_trigger
from mirror_bench.making.faces.due import DueFace, faces_of_bank
from mirror_bench.making.faces.generators import Commission, open_generator
from mirror_bench.making.faces.people import drawn_people
from mirror_bench.modelspec import parse_model

pytest.importorskip("diffusers")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_diffusion import save_tiny_clip, save_tiny_ip_adapter, save_tiny_sdxl

    folder = tmp_path_factory.mktemp("weights")
    save_tiny_ip_adapter(folder / "adapter", save_tiny_sdxl(folder / "base"))
    save_tiny_clip(folder / "clip")
    return folder


def _model(home: Path, **options: Any) -> str:
    given = {"adapter_model": home / "adapter", "weights": "tiny.safetensors", "size": 64, "steps": 1}
    named = "&".join(f"{key}={value}" for key, value in {**given, **options}.items())
    return f"diffusers/{home / 'base'}?{named}"


@pytest.fixture(scope="module")
def due() -> list[DueFace]:
    return faces_of_bank(drawn_people(2), ["neutral"], 1)


def test_an_image_follows_from_seed_words_and_the_persons_picture(weights: Path, due: list[DueFace]) -> None:
    generator = open_generator(_model(weights))
    generator.start("cpu")
    first = Commission(due[0], "portrait photo of a woman, a happy face", "text", 7)
    made = generator.make(first)
    assert made == generator.make(first)
    assert made[:4] == b"\x89PNG"
    others = (
        first._replace(seed=8),
        first._replace(prompt="portrait photo of a man, an angry face"),
        first._replace(negative="a sad face"),
        first._replace(due=due[1]),
    )
    assert len({made, *map(generator.make, others)}) == 5
    assert ExaminedImage(made, due[0], "").pixels.shape == (336, 336, 3)


def test_what_a_random_model_makes_is_rejected_by_reason_and_none_of_it_is_kept(
    weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "bank"
    arguments = [
        "faces",
        "make",
        "--generator",
        _model(weights),
        "--bank",
        "1",
        "-o",
        str(out),
        "--attempts",
        "2",
    ]
    arguments += ["--expression", "neutral", "--expression", "anger", "--check", f"clip/{weights / 'clip'}"]
    done = CliRunner().invoke(cli, [*arguments, "--devices", "cpu", "--quiet"])
    assert done.exit_code == 1, done.output
    assert "0 of 2 faces kept, of 4 images" in done.output
    assert "2 faces have no image: p001-neutral-1, p001-anger-1" in done.output
    attempts = [json.loads(row) for row in (out / "attempts.jsonl").read_text().splitlines()]
    assert [(one["rejected_by"], one["reason"]) for one in attempts] == [("face", "no face was found")] * 4
    assert len({one["seed"] for one in attempts}) == 4
    assert not list(out.rglob("*.png"))
    assert (out / "metadata.csv").read_text().count("\n") == 1
    assert json.loads((out / "yield.json").read_text())["rejected"]["face"] == 4


def test_clip_compares_image_and_direction(weights: Path, due: list[DueFace]) -> None:
    clip = f"clip/{weights / 'clip'}"
    seen = ExaminedImage(due[0].who.png, due[0], "a calm face")
    verdicts = []
    for limit in ("-1", "1"):
        check = FitsDirection(parse_model(f"{clip}?least={limit}"))
        check.start()
        verdicts.append(check.check(seen))
    low, high = verdicts
    assert low.passes
    assert not high.passes
    assert low.value is not None
    assert low.value == high.value
    assert high.reason == f"cosine {low.value:.2f} under 1"


def test_photomaker_is_given_the_picture_and_its_trigger_word(
    weights: Path, due: list[DueFace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authors' package is not to be had here: in its place the real SDXL pipeline with its signature."""
    from diffusers import StableDiffusionXLPipeline

    told: dict[str, Any] = {}

    class Pipeline(StableDiffusionXLPipeline):  # type: ignore[misc]
        def load_photomaker_adapter(self, folder: str, **named: Any) -> None:
            told["adapter"] = (folder, named)

        def fuse_lora(self, **named: Any) -> None:
            told["fused"] = True

        def __call__(self, *, input_id_images: Any, start_merge_step: int, **named: Any) -> Any:
            told.update(pictures=input_id_images, merge=start_merge_step, prompt=named["prompt"])
            return super().__call__(**named)

    package = ModuleType("photomaker")
    package.PhotoMakerStableDiffusionXLPipeline = Pipeline  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "photomaker", package)
    generator = open_generator(_model(weights, adapter="photomaker", weights="photomaker-v1.bin", steps=2))
    generator.start("cpu")
    assert generator.make(Commission(due[0], "portrait photo of a 40-year-old woman, calm", "text", 1))
    assert told["prompt"] == "portrait photo of a 40-year-old woman img, calm"
    assert told["adapter"][0] == str(weights / "adapter")
    assert told["adapter"][1]["weight_name"] == "photomaker-v1.bin"
    assert told["fused"]
    assert [picture.size for picture in told["pictures"]] == [(336, 336)]


def test_the_trigger_word_stands_behind_the_person() -> None:
    assert with_trigger("photo of a man, happy") == "photo of a man img, happy"
    assert with_trigger("a face") == "person img, a face"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (
            "diffusers/x?adapter=instantid",
            "the option adapter='instantid' must be 'ip-adapter', 'photomaker' or 'none'",
        ),
        ("diffusers/x?step=3", "no option 'step': did you mean 'steps'"),
        ("diffusers/x?size=100", "the option size='100' must be a multiple of 8"),
        ("diffusers/x?dtype=int8", "the option dtype='int8' must be 'auto', 'float16'"),
        ("painted/x", "no generator is named 'painted': known are diffusers, drawn"),
        ("drawn/faces?size=3", "no option 'size'"),
    ],
)
def test_a_wrong_name_or_option_is_named(model: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        open_generator(model)


def test_weights_that_are_not_there_are_named_in_one_line(tmp_path: Path) -> None:
    generator = DiffusionFaces(parse_model(f"diffusers/{tmp_path / 'nothing'}?adapter=none"))
    with pytest.raises(InputError, match=r"cannot be loaded on cpu .*name a folder or a Hub model"):
        generator.start("cpu")


def test_without_diffusers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(InputError, match=r"diffusers is missing: install the extra 'faces': pip install"):
        open_generator("diffusers/x").start("cpu")
