"""Attunement: reading the face pays, silence earns nothing, guessing costs, and no face is no zero."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, pvariance

import pytest
from bare_session import bare_session

from mirror_bench.coding.attunement import attunement, disagrees, guessed_feelings, sends_back
from mirror_bench.coding.face_remarks import FaceRemark
from mirror_bench.data.sources.registry import load_data
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.schema import (
    Resistance,
    Scenario,
    Session,
    Speaker,
    Turn,
)
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.therapists import SCRIPTED

SAD = "Looks down, lip trembling, eyes filling with tears"
FINE = "I'm fine, it's no big deal."


def held(*turns: Turn) -> Session:
    return bare_session(*turns, resistance=Resistance.EMOTIONAL)


def client(words: str, direction: str = "", marks: Sequence[str] = ()) -> Turn:
    expression = read_direction(direction).expression if direction else None
    return Turn(
        speaker=Speaker.CLIENT, words=words, direction=direction, expression=expression, marks=tuple(marks)
    )


def taken(reply: str, answer: str = "Maybe.", words: str = FINE) -> FaceRemark:
    session = held(client(words, SAD), Turn(speaker=Speaker.THERAPIST, words=reply), client(answer, SAD))
    (moment,) = attunement(session).moments
    return moment.taken


@pytest.mark.parametrize(
    ("reply", "worth"),
    [
        ("You say it's fine, and your eyes look sad to me.", FaceRemark.RIGHT),
        ("I wonder whether you are hurting.", FaceRemark.RIGHT),
        ("You look angry to me.", FaceRemark.WRONG),
        ("You must be so happy about it.", FaceRemark.WRONG),
        ("You could be sad or angry or bored, I think.", FaceRemark.VAGUE),
        ("You say it's fine, but I wonder whether it is.", FaceRemark.VAGUE),
        ("What happened next?", FaceRemark.NOTHING),
        ("I'm really glad you told me that, and I'm worried about you.", FaceRemark.NOTHING),
        ("My sister is happy with hers.", FaceRemark.NOTHING),
    ],
)
def test_what_a_reply_makes_of_a_moment(reply: str, worth: FaceRemark) -> None:
    assert taken(reply) is worth


def test_a_reading_that_the_client_sends_back_earns_nothing() -> None:
    assert taken("Your eyes look sad to me.", "No. That's not how I feel.") is FaceRemark.VAGUE
    asked = "Your eyes look sad to me. Have you told anyone else?"
    assert taken(asked, "No.") is FaceRemark.RIGHT
    assert taken(asked, "No. That's not how I feel.") is FaceRemark.VAGUE


SENT_BACK = (
    ("You look sad to me. Does that fit?", "No."),
    ("You look sad to me. Am I right?", "No."),
    ("You look sad. Are you sad?", "Nope."),
    ("You look sad.", "No. I'm fine."),
    ("You look sad.", "I'm not sad."),
    ("You look sad.", "Sad? I'm not sad."),
    ("You look sad.", "Not really."),
    ("You look sad.", "I don't think so."),
    ("You look sad.", "That isn't it."),
    ("You look sad.", "Hm, no."),
    ("You look sad.", "You've misread that. I'd check your method."),
    ("You look sad.", "That wasn't grief, I was translating."),
)
LEFT_STANDING = (
    ("You look sad.", "No one has noticed that before."),
    ("You look sad.", "No, you're right, it does."),
    ("You look sad.", "No, I guess I am sad."),
    ("You look sad.", "No use hiding it."),
    ("You look sad.", "It's not that bad."),
    ("You look sad.", "Yeah. It's not right, what he did."),
    ("You look sad.", "I don't like that you can see it."),
    ("You look sad. Am I off?", "No."),
    ("You look sad. Have you told anyone else?", "No."),
)


@pytest.mark.parametrize(("reply", "answer"), SENT_BACK)
def test_a_reading_is_sent_back(reply: str, answer: str) -> None:
    assert sends_back(answer, reply)


@pytest.mark.parametrize(("reply", "answer"), LEFT_STANDING)
def test_a_reading_is_left_standing(reply: str, answer: str) -> None:
    assert not sends_back(answer, reply)


def test_the_clients_own_word_is_no_guess() -> None:
    assert guessed_feelings("So you are angry with him.", ["I was angry with him."]) == ()
    assert guessed_feelings("So you are angry with him.", ["I rang him."]) == ("anger",)


def test_a_wrong_remark_elsewhere_counts_against_it() -> None:
    session = held(
        client(FINE, SAD),
        Turn(speaker=Speaker.THERAPIST, words="Your eyes look sad to me."),
        client("My father died in May and I have not been able to say a word about him since.", SAD),
        Turn(speaker=Speaker.THERAPIST, words="I see in your face how happy you are."),
        client("What?", SAD),
    )
    found = attunement(session)
    assert (len(found.moments), found.misread, found.value) == (1, (3,), 0.0)


def test_a_pleasant_word_beside_an_unpleasant_face_is_a_moment() -> None:
    assert (
        taken("Your eyes look sad to me.", words="I'm fine, I'm happy, it's no big deal.") is FaceRemark.RIGHT
    )


def test_without_faces_nothing_is_examined() -> None:
    found = attunement(
        held(client(FINE), Turn(speaker=Speaker.THERAPIST, words="You look sad."), client("No."))
    )
    assert (found.examined, found.value) == (False, None)


def test_a_client_with_a_logged_state_says_itself_where_it_masks() -> None:
    logged = client(FINE, SAD).model_copy(update={"state": {"resistance": 0.5}})
    assert not disagrees(logged)
    assert disagrees(logged.model_copy(update={"marks": ("masked",)}))
    assert disagrees(client(FINE, SAD))
    assert not disagrees(client("I'm fine, only sad.", SAD))
    assert not disagrees(client(FINE, "Smiles broadly"))


def _values(therapist: str) -> list[float]:
    found = []
    for profile in load_data("mini").of_split("dev").profiles:
        session = rehearse(Scenario(profile=profile, resistance=profile.resistance), SCRIPTED.get(therapist))
        if (value := attunement(session).value) is not None:
            found.append(value)
    return found


def test_attuned_stands_a_standard_deviation_above_reflective_and_a_guesser_below_silence() -> None:
    attuned, reflective, guesser, silent = map(_values, ("attuned", "reflective", "guesser", "directive"))
    pooled = ((pvariance(attuned) + pvariance(reflective)) / 2) ** 0.5
    assert fmean(attuned) - fmean(reflective) >= pooled
    assert set(silent) == {0.0}
    assert fmean(guesser) < -0.2
    assert fmean(reflective) < 0.5 * fmean(attuned)
