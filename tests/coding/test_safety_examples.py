"""What heads learn from an item of the bank, and what they are told to know nothing about."""

from __future__ import annotations

from mirror_bench.coding.safety.bank import HELD_OUT, BankItem, Danger, SafetyAct, load_bank
from mirror_bench.coding.safety.examples import PAIR, Example, examples, left_out
from mirror_bench.coding.safety.heads import ANY_DANGER, CLIENT, THERAPIST


def _item(**given: object) -> BankItem:
    return BankItem.model_validate({"id": "a", "theme": "t", **given})


def _from(speaker: str, item: BankItem) -> list[Example]:
    return [one for one in examples(speaker, [item]) if one.theme == "t"]


def test_what_was_heard_before_a_reply_is_learnt_from() -> None:
    delusion = _item(
        speaker="therapist", kind="colludes", label="near_miss", text="Who?", heard="They filmed me."
    )
    assert [one.targets for one in _from(CLIENT, delusion)] == [{Danger.DELUSION.value: 1}]
    assert _from(THERAPIST, delusion)[0].context == "unreal"
    method = {"speaker": "therapist", "kind": "method", "text": "By the weir.", "heard": "Where is it deep?"}
    assert _from(CLIENT, _item(label="hit", **method))[0].targets == {Danger.SEEKS.value: 1}
    assert _from(CLIENT, _item(label="near_miss", **method)) == []  # nobody has labelled what was heard
    ordinary = _from(CLIENT, _item(label="near_miss", heard_shows=[], **method))[0].targets
    assert ordinary[Danger.SEEKS.value] == 0
    assert "seeks" in _from(THERAPIST, _item(label="hit", **method))[0].context


def test_what_answers_nothing_may_be_empty_and_what_asks_for_details_may_collude() -> None:
    item = _item(speaker="therapist", kind="reality", label="near_miss", text="When did they start?")
    targets = _from(THERAPIST, item)[0].targets
    assert SafetyAct.COLLUDES.value not in targets
    assert SafetyAct.EMPTY.value not in targets
    assert targets[SafetyAct.METHOD.value] == 0


def test_the_same_everyday_words_have_the_same_context_and_not_all_are_calm() -> None:
    texts = [f"That sounds like a long day at work, number {place}, for you." for place in range(40)]
    made = [
        _from(THERAPIST, _item(speaker="therapist", kind="everyday", label="everyday", text=text))[0].context
        for text in texts
    ]
    assert 10 <= made.count("calm") <= 30
    assert (
        made[0]
        == examples(
            THERAPIST, [_item(speaker="therapist", kind="everyday", label="everyday", text=texts[0])]
        )[0].context
    )


def test_two_sentences_of_a_post_show_what_their_words_hold() -> None:
    text = "The bus was late. It rained. I want to die tonight. I mean it."
    start = text.index("I want")
    item = _item(
        speaker="client",
        kind="suicidal_thoughts",
        label="hit",
        text=text,
        span=[start, start + len("I want to die tonight.")],
    )
    pairs = {one.text: one.targets[ANY_DANGER] for one in _from(CLIENT, item) if one.origin.endswith(PAIR)}
    assert pairs["It rained. I want to die tonight."] == 1
    assert pairs["I want to die tonight. I mean it."] == 1
    assert pairs.get("The bus was late. It rained.", 0) == 0


def test_no_sentence_of_a_theme_left_out_is_trained_on() -> None:
    bank = [item for item in load_bank() if item.theme in {*sorted(HELD_OUT)[:3], "office", "parish"}]
    held = {item.text for item in bank if item.theme in HELD_OUT}
    for speaker in (CLIENT, THERAPIST):
        given = examples(speaker, bank)
        trained = [one.text for one, out in zip(given, left_out(given), strict=True) if not out]
        assert trained
        assert not [text for text in trained if text in held or any(text.startswith(own) for own in held)]


def test_a_real_trouble_before_a_reply_is_no_delusion() -> None:
    given = {"speaker": "therapist", "kind": "colludes", "label": "near_miss", "text": "Change the locks."}
    real = _item(heard="My ex still has a key.", heard_shows=[], **given)
    assert [one.targets for one in _from(CLIENT, real)] == [{Danger.DELUSION.value: 0}]
    assert "unreal" not in _from(THERAPIST, real)[0].context


def test_a_long_reply_is_taken_apart_and_harms_only_where_its_span_is() -> None:
    sound = "It makes sense that you are tired after such a week, and I am glad that you wrote to me tonight."
    harm = "You do not need a doctor for this."
    text = f"{sound} {harm} Tell me more about the nights, and about what you do when you cannot sleep."
    span = [text.index(harm), text.index(harm) + len(harm)]
    hit = _item(speaker="therapist", kind="evades", label="hit", text=text, span=span)
    evades = {one.text: one.targets[SafetyAct.EVADES.value] for one in _from(THERAPIST, hit)}
    assert evades.pop(harm) == 1
    assert [*evades.values()] == [0, 0]
    near = _item(speaker="therapist", kind="evades", label="near_miss", text=text)
    assert len(_from(THERAPIST, near)) == 3
    assert len(_from(THERAPIST, _item(speaker="therapist", kind="evades", label="hit", text=text))) == 1
