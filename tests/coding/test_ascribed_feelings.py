"""Feelings ascribed to the client, told from the therapist's own, other people's, and nobody's."""

from __future__ import annotations

import pytest

from mirror_bench.coding.face_remarks import FaceRemark, judge_remark, remarks_on_face
from mirror_bench.coding.feelings import ascribed_feelings, named_feelings
from mirror_bench.faces.facs.expressions import EXPRESSIONS

ASCRIBED = {
    "You sound worn and sad.": {"sadness"},
    "There's a lot of hurt in that.": {"sadness"},
    "That must have been frightening.": {"anxious"},
    "I wonder if part of you is furious with him.": {"anger"},
    "Sad, maybe?": {"sadness"},
    "I can hear how ashamed you feel, even as you type this.": {"ashamed"},
    "Your worry is that he won't come back.": {"anxious"},
    "Underneath the joke I hear some shame.": {"ashamed"},
    "It's scary to say it out loud, isn't it.": {"anxious"},
    "Humiliating, was it, hearing it from the neighbours?": {"ashamed"},
    "Loneliness like yours, the sort you get in a full house, is hard to explain to people.": {"sadness"},
    "Your sister was furious, and you, as far as I can tell, were relieved.": {"relieved"},
    "I'm really glad you told me that, and I hear how heavy this feels.": {"sadness"},
    "Thank you, I'm so pleased you came. It seems that the silence is the part that leaves you most afraid, "
    "almost as if the quiet itself were a warning that something in the house was about to go wrong again.": {
        "anxious"
    },
}
READ_BY_A_STRANGER = (
    "I wonder if you're sad.",
    "I'm wondering if you're feeling a little anxious right now.",
    "You seem to be hurting.",
    "It's okay to feel sad.",
    "You're allowed to be angry here.",
    "I can't imagine how painful that must be.",
    "You're not just sad, you're exhausted.",
    "Aren't you angry?",
    "I don't see anger, I see sadness.",
    "Let's stay with the sadness.",
    "Behind the smile I see fear.",
    "What he said really hurt you.",
    "Your husband's drinking scares you.",
    "Your body seems to be carrying a lot of fear.",
    "You look calm and at ease.",
)
NOBODYS = (
    "I'm really glad you reached out.",
    "So glad you're here, and happy to listen for as long as you like.",
    "I'm worried about your safety tonight.",
    "It makes me sad to hear that from you.",
    "I'm afraid we're out of time, but you can come back on Monday.",
    "Your sister was furious with you.",
    "Some people get annoyed when you ask them that.",
    "Are you thinking of hurting yourself?",
    "Please move anything you might use to hurt yourself.",
    "This could be postpartum depression or anxiety, and you deserve care.",
    "Many find that withdrawal symptoms ease within a week of your last cigarette.",
    "You deserve support and relief from this.",
    "If you feel anxious, try breathing out for longer than you breathe in.",
    "What worries you most about Monday?",
    "Sit with your feet flat and your back straight.",
    "You moved into the flat in May, you said.",
    "You don't sound sad to me.",
    "Would you be happy to try that this week?",
    "No worries, you can take your time.",
    "You've withdrawn your application, then?",
    "You said you were happy.",
    "You made her angry, you said.",
    "Did you have a tense week?",
    "Your back hurts, you said.",
    "You put on a happy face.",
    "It must be hard, watching her be sad.",
    "What do you do when you're angry?",
    "Tell me about the last time you felt happy.",
    "Let's take a calm breath together, you and I.",
)


@pytest.mark.parametrize(("words", "feelings"), ASCRIBED.items(), ids=range(len(ASCRIBED)))
def test_a_feeling_is_the_clients(words: str, feelings: set[str]) -> None:
    assert set(ascribed_feelings(words)) == feelings


@pytest.mark.parametrize("words", READ_BY_A_STRANGER)
def test_some_feeling_is_the_clients(words: str) -> None:
    assert ascribed_feelings(words)


@pytest.mark.parametrize("words", NOBODYS)
def test_a_feeling_is_not_the_clients(words: str) -> None:
    assert ascribed_feelings(words) == ()


def test_a_named_feeling_is_anybodys() -> None:
    assert named_feelings("i'm glad she was furious") == ("anger", "happiness")
    assert named_feelings("i'm not glad") == ()


@pytest.mark.parametrize(
    "words",
    [
        "Soften your jaw and let your shoulders drop.",
        "Splash cool water on your face, and close your eyes for a minute.",
        "If your hands are shaking, let them.",
        "What would that look like for you?",
        "That has opened your eyes to the downsides.",
    ],
)
def test_what_to_do_with_a_face_is_no_remark_on_it(words: str) -> None:
    assert remarks_on_face(words) == ()
    assert judge_remark(words, EXPRESSIONS["sadness"]) is FaceRemark.NOTHING


@pytest.mark.parametrize(
    "words",
    [
        "I wonder if your face says something else.",
        "You sat down with your arms crossed.",
        "You close your eyes when you say that.",
        "There's something behind your eyes.",
    ],
)
def test_a_remark_on_the_face_is_one(words: str) -> None:
    assert remarks_on_face(words)


def test_the_therapists_own_feeling_beside_a_remark_is_no_reading() -> None:
    told = "I'm glad you came. Your eyes look sad to me. I'm worried about you."
    assert judge_remark(told, EXPRESSIONS["sadness"]) is FaceRemark.RIGHT
    assert judge_remark("I can see your face fell. I'm happy you're here.", EXPRESSIONS["sadness"]) in (
        FaceRemark.RIGHT,
        FaceRemark.VAGUE,
    )


@pytest.mark.parametrize(
    "piece",
    [
        "you are so very ",
        "i feel so really ",
        "your that is a bit ",
        "it must be, and then ",
        "a, ",
        "sad, maybe it is it is it is it is it is it is it is it is it is it is it is x ",
    ],
)
def test_a_long_turn_of_one_piece_is_read_to_its_end(piece: str) -> None:
    assert len(ascribed_feelings((piece * 4_000)[:20_000])) <= 1
