"""Scripts that hand data to a page: whatever they hold, they hold as data."""

import json
import re
from typing import Any

import hostile
import report_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.page_data import script, session_payload
from mirror_bench.analysis.display_names import tidy
from mirror_bench.schema import Expression

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)


def given_by(text: str) -> tuple[str, Any]:
    """What the page's `mirrorGive` would be called with."""
    called = re.fullmatch(r"mirrorGive\((.*)\);\n", text, re.DOTALL)
    assert called is not None
    key, held = json.loads(f"[{called[1]}]")
    return key, json.loads(held)


def _tidied(value: Any) -> Any:
    if isinstance(value, str):
        return tidy(value)
    if isinstance(value, dict):
        return {tidy(key): _tidied(one) for key, one in value.items()}
    return [_tidied(one) for one in value] if isinstance(value, list) else value


@given(JSON)
def test_a_script_holds_its_value_and_no_markup(value: Any) -> None:
    text = script("key/1", value)
    assert given_by(text) == ("key/1", _tidied(value))
    assert "<" not in text
    assert text.isascii()


def test_attacks_come_back_as_text() -> None:
    for number, attack in enumerate(hostile.ATTACKS):
        session = hostile.hostile_session(number)
        payload = session_payload(session, [hostile.hostile_rating(session, number)], {}, attack)
        _, found = given_by(script("a/1", payload))
        assert found["label"] == tidy(attack)
        assert found["turns"][0]["words"] == tidy(session.turns[0].words)
        assert len(found["plan"]) < 5000


def test_a_session_is_whole() -> None:
    session = samples.session_of(samples.scenarios(2)[1], method="p+ec")
    faces = {turn.face: True for turn in session.turns}
    payload = session_payload(session, samples.ratings_of(session), faces, "Able")
    assert len(payload["turns"]) == len(session.turns)
    client, therapist = payload["turns"][:2]
    assert client["client"]
    assert client["face"] == session.turns[0].face
    assert client["state"] == dict(session.turns[0].state)
    assert "caption" in therapist
    assert [one["instrument"] for one in payload["ratings"]] == ["CTRS", "WAI"]
    assert payload["ratings"][0]["items"][0]["title"]


def test_a_face_that_the_site_lacks_is_not_named() -> None:
    session = samples.session_of(samples.scenarios(1)[0])
    payload = session_payload(session, [], {session.turns[0].face: False}, "Able")
    assert "face" not in payload["turns"][0]


def test_what_a_body_shows_is_told_in_words() -> None:
    session = samples.session_of(samples.scenarios(1)[0])
    shown = Expression(
        units={"L12": 0.4, "4": 0.9, "99": 0.1}, gaze=(0.5, -0.9), head=(0, -9, 0), posture={"slump": 0.3}
    )
    turn = session.turns[0].model_copy(update={"expression": shown})
    payload = session_payload(session.model_copy(update={"turns": (turn,)}), [], {}, "Able")
    assert payload["turns"][0]["body"] == [
        ["AU 4", "brow lowerer", 0.9, "0.90"],
        ["AU L12", "lip corner puller, left", 0.4, "0.40"],
        ["AU 99", "unknown", 0.1, "0.10"],
        ["Gaze", "down and to the client's left", None, "0.50, -0.90"],
        ["Head", "yaw, pitch, roll", None, "0°, -9°, 0°"],
        ["Posture", "slump", 0.3, "0.30"],
    ]
