"""Sets left out: floors under what was measured, and what is read of a stranger's file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from annomi import PATH, needs_annomi

from mirror_bench.coding.sentence_forms import CLASSES, read_weights, sign_names
from mirror_bench.errors import InputError
from mirror_bench.schema import Speaker
from mirror_bench.validity.left_out_sets import ANNOMI, OTHERS, agreement, fit, read_units

needs_outside = pytest.mark.skipif(
    not all((PATH.parent / "outside" / name).exists() for name in OTHERS.values()),
    reason="the outside sets are not beside the checkout",
)


@needs_annomi
@needs_outside
@pytest.mark.parametrize(("source", "floor"), [("MIBot", 0.65), ("MI gold sentences", 0.60)])
def test_therapists_are_coded_alike_on_a_set_left_out(source: str, floor: float) -> None:
    units = read_units(PATH)
    found = agreement(
        [one for one in units if one.source == source], Speaker.THERAPIST, fit(units, without=source)
    )
    assert found is not None
    assert found.macro_f1.value >= floor


@needs_annomi
def test_a_malformed_set_is_named_by_line(tmp_path: Path) -> None:
    shutil.copy(PATH, tmp_path / "annomi.csv")
    (tmp_path / "outside").mkdir()
    line = {"id": "a", "speaker": "therapist", "text": "So.", "context": "", "label": "reflection"}
    path = tmp_path / "outside" / OTHERS["MIBot"]
    path.write_text(json.dumps(line) + "\n" + json.dumps(line | {"label": "song"}) + "\n")
    with pytest.raises(InputError, match=r"mibot_utterances.jsonl:2: label is 'song'"):
        read_units(tmp_path / "annomi.csv")
    path.write_text(json.dumps(line) + "\n")
    assert {one.source for one in read_units(tmp_path / "annomi.csv")} == {ANNOMI, "MIBot"}


def test_weights_of_unknown_signs_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.yaml"
    rest = "".join(f"  {name}: {{}}\n" for name in CLASSES[1:])
    path.write_text(f"weights:\n  {CLASSES[0]}: {{{sign_names()[1]}: 0.5}}\n{rest}")
    assert read_weights(path).values[0, 1] == 0.5
    path.write_text(f"weights:\n  {CLASSES[0]}: {{moon: 0.5}}\n{rest}")
    with pytest.raises(InputError, match="'moon' is no sign"):
        read_weights(path)
