from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from mirror_bench.engines import checkpoints
from mirror_bench.engines.checkpoints import (
    cache_identity,
    content_digest,
    content_identity,
    local_folder,
    read_adapter,
)
from mirror_bench.errors import InputError
from mirror_bench.modelspec import parse_model


def make_checkpoint(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 40)
    return folder


def make_adapter(folder: Path, rank: int, *weights: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"r": rank}))
    save_file({name: np.zeros(1, np.float32) for name in weights}, folder / "adapter_model.safetensors")
    return folder


def test_folders_and_hub_names_are_told_apart(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "model")
    assert local_folder(str(folder)) == folder
    assert local_folder("some-owner/some-model") is None


@pytest.mark.parametrize("name", ["./gone", "/gone/model", "~/gone", "a/b/c", "gone"])
def test_a_path_to_nothing_is_named(name: str) -> None:
    with pytest.raises(InputError, match=name) as caught:
        local_folder(name)
    assert "\n" not in str(caught.value)


def test_a_file_and_a_folder_without_config_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json"):
        local_folder(str(tmp_path))
    (tmp_path / "weights.bin").write_bytes(b"")
    with pytest.raises(InputError, match="is a file"):
        local_folder(str(tmp_path / "weights.bin"))


@pytest.mark.parametrize("whole", [2**20, 100])
def test_the_digest_follows_the_content_and_not_the_place(
    tmp_path: Path, whole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_WHOLE", whole)
    monkeypatch.setattr(checkpoints, "_SAMPLE", 64)
    one, two = make_checkpoint(tmp_path / "one"), make_checkpoint(tmp_path / "two")
    assert content_digest(one) == content_digest(two)
    (two / "README.md").write_text("a card decides nothing")
    assert content_digest(one) == content_digest(two)
    content = bytearray((two / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (two / "model.safetensors").write_bytes(content)
    assert content_digest(one) != content_digest(two)


def test_names_hold_digests_and_deciding_options_alone(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "m")
    adapter = make_adapter(tmp_path / "a", 8, "layers.0.lora_A")
    spec = parse_model(f"vllm/{folder}?kv_gib=2&dtype=float16&lora={adapter}")
    name = cache_identity(spec, {"kv_gib"})
    digests = content_digest(folder), content_digest(adapter)
    assert name == f"vllm/m@{digests[0]}?dtype=float16&lora=a@{digests[1]}"
    assert cache_identity(parse_model("vllm/owner/model?kv_gib=1"), {"kv_gib"}) == "vllm/owner/model"
    identity = content_identity(spec, {"kv_gib"})
    assert identity == f"vllm/@{digests[0]}?dtype=float16&lora=@{digests[1]}"


@pytest.mark.parametrize(
    ("weight", "tower"),
    [
        ("base_model.model.model.text_model.layers.0.self_attn.q_proj.lora_A.weight", False),
        ("base_model.model.model.connector.modality_projection.proj.lora_A.weight", True),
        ("base_model.model.model.vision_model.encoder.layers.0.self_attn.q_proj.lora_B.weight", True),
        ("base_model.model.visual.merger.mlp.0.lora_A.weight", True),
        ("base_model.model.multi_modal_projector.linear_1.lora_A.weight", True),
    ],
)
def test_adapters_of_the_vision_side_are_recognised(tmp_path: Path, weight: str, tower: bool) -> None:
    adapter = read_adapter(str(make_adapter(tmp_path / "a", 12, weight)))
    assert (adapter.rank, adapter.tower) == (16, tower)


def test_what_is_no_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"adapter_config\.json"):
        read_adapter(str(tmp_path))
    with pytest.raises(InputError, match="rank 1000"):
        read_adapter(str(make_adapter(tmp_path / "big", 1000)))
    torn = make_adapter(tmp_path / "torn", 8)
    (torn / "adapter_model.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(InputError, match="readable"):
        read_adapter(str(torn))
