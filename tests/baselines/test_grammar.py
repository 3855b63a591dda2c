import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.grammar import CRISIS, load_grammar
from mirror_bench.coding.therapist_behaviour import ADHERENT, Behaviour, code_therapist
from mirror_bench.errors import InputError
from mirror_bench.faces.facs.expressions import EXPRESSIONS
from mirror_bench.therapists.prompts import read_plan, techniques

GRAMMAR = load_grammar()


def test_every_expression_counts_as_exactly_one_thing() -> None:
    taught = [name for seen in GRAMMAR.seen for name in seen.of]
    assert sorted(taught) == sorted(EXPRESSIONS)


def test_captions_name_what_they_were_made_for() -> None:
    for seen in GRAMMAR.seen:
        assert GRAMMAR.caption_names(seen.caption) == seen.name
    assert GRAMMAR.caption_names("I cannot say.") == ""


def test_training_utterances_are_of_their_own_kind() -> None:
    wrong = {
        words: kind.name for kind in GRAMMAR.kinds for words in kind.says if GRAMMAR.kind_of(words) != kind
    }
    assert not wrong


def test_a_sentence_on_a_face_is_coded_as_noticing_it_and_as_nothing_that_raises_resistance() -> None:
    refused = {Behaviour.PERSUADE, Behaviour.CONFRONT, Behaviour.GIVING_INFORMATION}
    for seen, lead in itertools.product(GRAMMAR.seen, ("masked", "quiet", "plain")):
        for way, text in itertools.product(seen.ways, GRAMMAR.lead_ins[lead]):
            codes = {code.behaviour for code in code_therapist(text.format(seen=way))}
            assert Behaviour.NOTICES_FACE in codes, text.format(seen=way)
            assert not codes & refused, text.format(seen=way)


def test_no_reply_persuades_or_confronts() -> None:
    for kind, step, plan in itertools.product(GRAMMAR.kinds, range(12), (None, *GRAMMAR.plans)):
        codes = {code.behaviour for code in code_therapist(GRAMMAR.reply(kind.says[0], None, step, plan))}
        assert not codes & {Behaviour.PERSUADE, Behaviour.CONFRONT}, GRAMMAR.reply(
            kind.says[0], None, step, plan
        )
        assert kind.name == CRISIS or step % 3 != 2 or codes & ADHERENT


def test_without_a_face_nothing_is_said_of_one() -> None:
    for kind, step in itertools.product(GRAMMAR.kinds, range(12)):
        codes = {code.behaviour for code in code_therapist(GRAMMAR.reply(kind.says[0], None, step))}
        assert Behaviour.NOTICES_FACE not in codes


@pytest.mark.parametrize("seen", [None, *GRAMMAR.seen], ids=lambda seen: seen.name if seen else "no face")
def test_twelve_replies_to_the_same_words_never_repeat_each_other(seen: object) -> None:
    before: list[str] = []
    for _ in range(12):
        step = GRAMMAR.step_after(before[-1]) if before else 0
        reply = GRAMMAR.reply("I'm fine.", seen, step)  # type: ignore[arg-type]
        codes = {code.behaviour for code in code_therapist(reply, "I'm fine.", before)}
        assert Behaviour.REPEATS_ITSELF not in codes
        before.append(reply)


def test_a_disclosure_of_danger_is_answered_with_safety_and_nothing_after_it() -> None:
    kind = next(kind for kind in GRAMMAR.kinds if kind.name == CRISIS)
    for words, step in itertools.product(kind.says, range(12)):
        reply = GRAMMAR.reply(words, None, step, GRAMMAR.plans[0])
        assert reply in kind.answers
        assert Behaviour.CRISIS_RESPONSE in {code.behaviour for code in code_therapist(reply)}


def test_plans_are_read_back_as_the_techniques_of_the_benchmark() -> None:
    assert {plan.technique for plan in GRAMMAR.plans} == set(techniques())
    for plan in GRAMMAR.plans:
        assert read_plan(plan.answer) == (plan.technique, plan.text)
    for kind in GRAMMAR.kinds:
        assert GRAMMAR.plan_for(kind)


@given(st.text(max_size=300), st.integers(0, 11))
def test_any_words_have_an_answer(words: str, step: int) -> None:
    assert GRAMMAR.reply(words, None, step)
    assert 0 <= GRAMMAR.step_after(words) < len(GRAMMAR.closings)


def test_a_broken_template_is_named(tmp_path: Path) -> None:
    (tmp_path / "faces.yaml").write_text("sadness: {caption: sad, of: sadness, seen: []}\n")
    with pytest.raises(InputError, match=r"faces\.yaml: sadness: 'of' must be a list"):
        load_grammar(tmp_path)
