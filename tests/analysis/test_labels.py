"""Labels: distinct, short, and harmless whatever a model is called."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.analysis.display_names import candidate_label, entry_labels, short, tidy
from mirror_bench.analysis.session_outcomes import CandidateKey
from mirror_bench.schema import FaceCondition

anything = st.text(st.characters(), max_size=80)
keys = st.lists(
    st.builds(CandidateKey, anything, st.sampled_from(["", "p+ec"]), st.sampled_from(FaceCondition)),
    max_size=6,
    unique=True,
)


def test_the_last_part_of_a_name_and_the_method() -> None:
    name = "vllm/Qwen/Qwen2.5-VL-7B-Instruct?tensor_parallel_size=2"
    assert candidate_label(name, "p+ec") == "Qwen2.5-VL-7B-Instruct · p+ec"
    assert candidate_label("scripted/reflective") == "reflective"
    assert candidate_label("transformers/./checkpoint/") == "checkpoint"


@given(keys)
def test_entries_have_distinct_labels_of_one_line(found: list[CandidateKey]) -> None:
    labels = entry_labels(found)
    assert len(set(labels.values())) == len(found)
    assert all("\n" not in label and len(label) < 80 for label in labels.values())


@given(anything, st.integers(3, 40))
def test_short_is_short(text: str, longest: int) -> None:
    assert len(short(text, longest)) <= longest


def test_controls_and_bidirectional_overrides_become_visible() -> None:
    assert tidy("a\x00b\u202ec\ud800d\r\ne\tf") == "a\ufffdb\ufffdc\ufffdd\ne\tf"


def test_long_text_is_cut_and_says_so() -> None:
    assert tidy("x" * 5000, 100) == "x" * 100 + " … (4,900 more characters)"


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_tidy_text_can_always_be_written(text: str) -> None:
    tidy(text).encode("utf-8")
