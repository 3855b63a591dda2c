"""What raters' names tell of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.raters.names import first_time, is_person, panel_name, scoring, single

NAMES = st.lists(
    st.sampled_from(["coded", "llm:a", "llm:b", "llm:a-long", "human:x-1"]), min_size=2, unique=True
)


@given(NAMES, st.data())
def test_a_panel_scores_in_place_of_its_judges_alone(names: list[str], data: st.DataObject) -> None:
    judges = data.draw(st.lists(st.sampled_from(names), min_size=2, unique=True))
    panel = panel_name(judges)
    assert set(scoring([*names, panel])) == {panel, *names} - set(judges)
    assert set(single([*names, panel])) == set(names)


def test_a_panel_alone_beside_one_rater_can_agree_with_it() -> None:
    panel = panel_name(["llm:b", "llm:a"])
    assert panel == panel_name(["llm:a", "llm:b"])
    assert single([panel, "coded"]) == ("coded", panel)


def test_retests_score_nobody_and_people_are_known() -> None:
    assert first_time(["llm:a", "llm:a (retest)"]) == ["llm:a"]
    assert is_person("human:x-1")
    assert not is_person("coded")
