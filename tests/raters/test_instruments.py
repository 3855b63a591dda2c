from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.errors import InputError
from mirror_bench.raters.instruments import Instrument, instrument_scores, load_instrument, read_instrument
from mirror_bench.raters.session_features import FEATURES
from mirror_bench.schema import ItemRating, Rating

SMALL = """\
title: Small
scale:
  min: 0
  max: 4
items:
  - id: warm
    title: Warm
    text: Is it warm?
  - id: cold
    title: Cold
    text: Is it cold?
    reversed: true
subscales:
  both: [warm, cold]
"""


def rated(instrument: Instrument, scores: dict[str, float | None]) -> dict[str, float | None]:
    rating = Rating(
        scenario_id="s",
        therapist="t",
        rater="r",
        instrument=instrument.name,
        items={name: ItemRating(score=score) for name, score in scores.items()},
    )
    return instrument_scores(instrument, rating)


def test_ctrs_has_six_items_with_four_anchors_of_their_own() -> None:
    ctrs = load_instrument("ctrs")
    assert len(ctrs.items) == 6
    assert (ctrs.scale.min, ctrs.scale.max) == (0, 6)
    assert all(sorted(item.anchors) == [0, 2, 4, 6] for item in ctrs.items)
    assert len({text for item in ctrs.items for text in item.anchors.values()}) == 24


def test_wai_has_three_subscales_of_four_and_a_middle_of_no_evidence() -> None:
    wai = load_instrument("wai")
    assert {name: len(ids) for name, ids in wai.subscales.items()} == {"goal": 4, "approach": 4, "bond": 4}
    assert "no evidence" in wai.anchors_of(wai.items[0])[3]
    assert sorted(i for ids in wai.subscales.values() for i in ids) == sorted(item.id for item in wai.items)


@pytest.mark.parametrize("name", ["ctrs", "wai"])
def test_coded_rules_name_features_that_exist(name: str) -> None:
    for item in load_instrument(name).items:
        assert item.coded is not None
        assert {*item.coded.pro, *item.coded.con} <= set(FEATURES)


def test_scores_are_means_on_the_scale() -> None:
    wai = load_instrument("wai")
    scores = rated(wai, {item.id: 4.0 if item.id in wai.subscales["goal"] else 2.0 for item in wai.items})
    assert scores["wai.goal"] == 4.0
    assert scores["wai.bond"] == 2.0
    assert scores["wai.total"] == pytest.approx(8 / 3)
    assert scores["wai.aims_clear"] == 4.0


def test_a_mean_needs_three_quarters_of_its_items() -> None:
    wai = load_instrument("wai")
    given_scores: dict[str, float | None] = {item.id: 4.0 for item in wai.items}
    given_scores["trust"] = None
    scores = rated(wai, given_scores)
    assert scores["wai.trust"] is None
    assert scores["wai.bond"] == 4.0
    del given_scores["confidence"]
    scores = rated(wai, given_scores)
    assert scores["wai.bond"] is None
    assert scores["wai.total"] is None

    ctrs = load_instrument("ctrs")
    scores = rated(ctrs, {item.id: 3.0 for item in ctrs.items if item.id != "focus"})
    assert scores["ctrs.cbt"] is None
    assert scores["ctrs.total"] == 3.0


def test_reversed_items_are_turned_round(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    scores = rated(read_instrument(path), {"warm": 3.0, "cold": 1.0})
    assert scores == {"small.warm": 3.0, "small.cold": 3.0, "small.both": 3.0, "small.total": 3.0}


@given(st.lists(st.one_of(st.none(), st.floats(1, 5)), min_size=12, max_size=12))
def test_every_score_lies_on_the_scale_or_is_missing(answers: list[float | None]) -> None:
    wai = load_instrument("wai")
    scores = rated(wai, dict(zip((item.id for item in wai.items), answers, strict=True)))
    assert len(scores) == 12 + 3 + 1
    assert all(score is None or 1 <= score <= 5 + 1e-9 for score in scores.values())


@pytest.mark.parametrize("scores", [{"warm": 5.0}, {"nonsense": 1.0}])
def test_answers_off_the_form_are_refused(tmp_path: Path, scores: dict[str, float | None]) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    with pytest.raises(InputError, match=r"rating of s by r: small"):
        rated(read_instrument(path), scores)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("max: 4", "max: four", 4, "scale.max"),
        ("id: cold", "id: warm", 1, "stands twice"),
        ("both: [warm, cold]", "both: [warm, lukewarm]", 1, "'lukewarm', which is no item"),
        ("both: [warm, cold]", "both: [warm,\tlukewarm]", 1, "'lukewarm', which is no item"),
        ("reversed: true", "revresed: true", 12, "items.1.revresed"),
        ("title: Cold", "title: ''", 10, "items.1.title"),
        ("max: 4", "max: 0", 1, "must be below"),
        ("text: Is it warm?", "text: x\n    anchors: {7: much}", 1, "anchor at 7, outside"),
    ],
)
def test_malformed_files_are_named_with_their_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_instrument(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_instrument_names_the_known_ones() -> None:
    with pytest.raises(
        InputError, match="_criteria, ctrs, observed_attunement, replies, risk_checklist, safety, wai"
    ):
        load_instrument("phq")
