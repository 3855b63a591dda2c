import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.therapists.reply_cleaning import MAX_CHARACTERS, clean_reply


@pytest.mark.parametrize(
    ("raw", "words", "removed"),
    [
        ("I see.", "I see.", ()),
        ("Therapist: I see.", "I see.", ("speaker label",)),
        ("**Therapist:** I see.", "I see.", ("speaker label",)),
        ("[Sighs] I see the point. [Looks away]", "I see the point.", ("brackets",)),
        ("[Nods I see you", "Nods I see you", ("brackets",)),
        ("A [b [c] d] e", "A e", ("brackets",)),
        ("I see.\nClient: No.\nTherapist: Yes.", "I see.", ("invented client turn",)),
        ("I see.\nAna: No.", "I see.", ("invented client turn",)),
        ("<think>He is sad.</think>You look down.", "You look down.", ("reasoning",)),
        ("<think>never closed", "", ("reasoning",)),
        ("*nods slowly* It is *really* hard.", "It is *really* hard.", ("stage asterisks",)),
        ("(softly) Stay (if you can).", "Stay (if you can).", ("stage parentheses",)),
        ("I\u200b see\u202e.", "I see.", ("control characters",)),
        ("I see.<|im_end|>", "I see.", ("template tokens",)),
        ("“I see.”", "I see.", ()),
        ("", "", ()),
    ],
)
def test_removes_and_records(raw: str, words: str, removed: tuple[str, ...]) -> None:
    assert clean_reply(raw, "Ana Lopez") == (words, removed)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("That sounds hard. What was it li", "That sounds hard."),
        ("You said “never.” And so y", "You said “never.”"),
        ("First, breathe. 1. Sit down 2. Wri", "First, breathe."),
        ("It helps. Dr. Patel and", "It helps."),
        ("Is 3.5 too many? I wond", "Is 3.5 too many?"),
        ("That sounds hard.", "That sounds hard."),
        ("one sentence without an end that goes on", "one sentence without an end that goes on"),
        ("很难。你觉", "很难。"),
    ],
)
def test_a_cut_reply_keeps_its_whole_sentences(raw: str, words: str) -> None:
    assert clean_reply(raw, cut=True) == (words, ("broken sentence",) if words != raw else ())
    assert clean_reply(raw) == (raw, ())


def test_bounds_the_length() -> None:
    words, removed = clean_reply("a " * 10_000)
    assert len(words) <= MAX_CHARACTERS
    assert "excess length" in removed


@given(st.text(alphabet=st.sampled_from("[]()*<>think/ \n:Clientherapist.aA\u200b\x00"), max_size=200))
def test_never_leaves_brackets_or_control_characters(raw: str) -> None:
    words, _ = clean_reply(raw, "Ana")
    assert not set("[]\x00\u200b\n") & set(words)
    assert words == words.strip()


@given(st.text(alphabet=st.characters(categories=("L", "N")), min_size=1, max_size=80))
def test_plain_words_stay(raw: str) -> None:
    assert clean_reply(raw).words == raw
