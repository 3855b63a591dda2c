"""Ways to tamper with the sessions of a submission."""

from __future__ import annotations

import json
from random import Random

from tampering import Json, Parts, tampering


def one_session(parts: Parts, rng: Random) -> Json:
    return rng.choice([session for session in parts.sessions if len(session["turns"]) >= 5])


def one_turn(session: Json, rng: Random, speaker: str) -> Json:
    turns: list[Json] = [turn for turn in session["turns"][1:] if turn["speaker"] == speaker]
    return rng.choice(turns)


@tampering("client", "ratings")
def a_word_of_the_client(parts: Parts, rng: Random) -> None:
    turn = one_turn(one_session(parts, rng), rng, "client")
    words = turn["words"].split()
    words[rng.randrange(len(words))] = "thankful"
    turn["words"] = " ".join(words)


@tampering("client", "ratings")
def the_clients_state(parts: Parts, rng: Random) -> None:
    state = one_turn(one_session(parts, rng), rng, "client")["state"]
    state["resistance"] = round(state["resistance"] * 0.9, 4)


@tampering("client", "ratings")
def a_mark(parts: Parts, rng: Random) -> None:
    turn = one_turn(one_session(parts, rng), rng, "client")
    turn["marks"] = [*turn.get("marks", []), "understood", "warmed"]


@tampering("client", "ratings")
def a_direction(parts: Parts, rng: Random) -> None:
    one_turn(one_session(parts, rng), rng, "client")["direction"] = "Smiles warmly, leans in"


@tampering("client", "ratings")
def an_expression(parts: Parts, rng: Random) -> None:
    one_turn(one_session(parts, rng), rng, "client")["expression"]["units"] = {"12": 0.5, "6": 0.25}


@tampering("faces")
def a_swapped_face(parts: Parts, rng: Random) -> None:
    shown = [turn for session in parts.sessions for turn in session["turns"] if turn.get("face")]
    turn = rng.choice(shown)
    turn["face"] = rng.choice([other["face"] for other in shown if other["face"] != turn["face"]])


@tampering("faces")
def the_label_of_a_face(parts: Parts, rng: Random) -> None:
    shown = [turn for session in parts.sessions for turn in session["turns"] if turn.get("shown")]
    turn = rng.choice(shown)
    turn["shown"] = "joy" if turn["shown"] != "joy" else "anger"


@tampering("faces")
def a_face_where_none_was_seen(parts: Parts, rng: Random) -> None:
    shown = [turn for session in parts.sessions for turn in session["turns"] if turn.get("face")]
    hidden = rng.choice([one for one in parts.sessions if one.get("condition") == "none"])
    given = rng.choice(shown)
    hidden["turns"][0] |= {"face": given["face"], "shown": given["shown"]}


@tampering("faces")
def no_face_where_one_was_seen(parts: Parts, rng: Random) -> None:
    shown = [turn for session in parts.sessions for turn in session["turns"] if turn.get("face")]
    turn = rng.choice(shown)
    del turn["face"], turn["shown"]


@tampering("therapist", "ratings", "scripted")
def words_of_a_scripted_therapist(parts: Parts, rng: Random) -> None:
    one_turn(one_session(parts, rng), rng, "therapist")["words"] = "What you say makes sense to me."


@tampering("therapist", "ratings", "scripted")
def one_letter_of_a_scripted_therapist(parts: Parts, rng: Random) -> None:
    turn = one_turn(one_session(parts, rng), rng, "therapist")
    turn["words"] = turn["words"][:-1] + ("!" if turn["words"][-1] != "!" else ".")


@tampering("client", "ratings", "model")
def better_words_for_a_model(parts: Parts, rng: Random) -> None:
    """Words of quite another kind, without holding the rest of the session again."""
    turn = one_session(parts, rng)["turns"][1]
    turn["words"] = "You must pull yourself together now, and stop complaining about it."
    turn.pop("raw", None)
    turn.pop("removed", None)


@tampering("turns", "ratings", "model")
def what_the_model_really_answered(parts: Parts, rng: Random) -> None:
    turns = [turn for session in parts.sessions for turn in session["turns"] if turn.get("raw")]
    turn = rng.choice(turns)
    turn["raw"] = f"{turn['raw']} And one thing more."


@tampering("turns", "ratings", "model")
def what_was_removed(parts: Parts, rng: Random) -> None:
    turns = [turn for session in parts.sessions for turn in session["turns"] if turn.get("raw")]
    rng.choice(turns)["removed"] = ["reasoning"]


@tampering("turns", "ratings", "scripted")
def a_caption(parts: Parts, rng: Random) -> None:
    one_turn(one_session(parts, rng), rng, "therapist")["caption"] = "The client looks sad."


@tampering("turns", "ratings", "model")
def a_plan(parts: Parts, rng: Random) -> None:
    one_session(parts, rng)["plan"] = "First listen, then ask."


@tampering("client", "ratings")
def tokens_of_a_client(parts: Parts, rng: Random) -> None:
    one_turn(one_session(parts, rng), rng, "client")["tokens"] = rng.randrange(1, 50)


@tampering("turns", "ratings")
def who_speaks(parts: Parts, rng: Random) -> None:
    one_session(parts, rng)["turns"][2]["speaker"] = "therapist"


@tampering("scenarios", "ratings")
def a_dropped_session(parts: Parts, rng: Random) -> None:
    gone = one_session(parts, rng)
    parts.sessions.remove(gone)
    for log in (parts.ratings, parts.probes):
        log[:] = [record for record in log if record["scenario_id"] != gone["scenario_id"]]


@tampering("scenarios", "summary")
def a_doubled_session(parts: Parts, rng: Random) -> None:
    place = rng.randrange(len(parts.sessions))
    parts.sessions.insert(place, json.loads(json.dumps(parts.sessions[place])))


@tampering("scenarios", "summary")
def sessions_in_another_order(parts: Parts, rng: Random) -> None:
    one, other = rng.sample(range(len(parts.sessions)), 2)
    parts.sessions[one], parts.sessions[other] = parts.sessions[other], parts.sessions[one]


@tampering("client", "ratings")
def one_session_twice_under_two_names(parts: Parts, rng: Random) -> None:
    good = one_session(parts, rng)
    people = [one for one in parts.sessions if one["profile_id"] != good["profile_id"]]
    target = rng.choice(people)
    target |= {key: json.loads(json.dumps(good[key])) for key in ("turns", "ended", "reason")}


@tampering("duplicates", "ratings")
def a_copied_session(parts: Parts, rng: Random) -> None:
    one_session_twice_under_two_names(parts, rng)


@tampering("client", "ratings")
def two_sessions_with_swapped_names(parts: Parts, rng: Random) -> None:
    one = one_session(parts, rng)
    other = rng.choice([o for o in parts.sessions if o["profile_id"] != one["profile_id"]])
    for key in ("turns", "ended", "reason"):
        one[key], other[key] = other[key], one[key]


@tampering("seeds")
def the_seed_of_a_session(parts: Parts, rng: Random) -> None:
    one_session(parts, rng)["seed"] = rng.randrange(2, 1_000)


@tampering("scenarios")
def a_session_under_another_seed(parts: Parts, rng: Random) -> None:
    session = one_session(parts, rng)
    session["seed"] = seed = rng.randrange(2, 1_000)
    session["pair"] = f"{session['profile_id']}:{session['resistance']}:{seed}"
    session["scenario_id"] = f"{session['pair']}:{session['condition']}"


@tampering("seeds")
def the_pair_of_a_session(parts: Parts, rng: Random) -> None:
    one_session(parts, rng)["pair"] += "0"


@tampering("scenarios")
def the_face_condition(parts: Parts, rng: Random) -> None:
    session = one_session(parts, rng)
    session["condition"] = "none" if session["condition"] == "matched" else "matched"


@tampering("scenarios")
def the_type_of_resistance(parts: Parts, rng: Random) -> None:
    session = one_session(parts, rng)
    session["resistance"] = "none" if session["resistance"] != "none" else "emotional"


@tampering("scenarios", "summary")
def whether_a_session_counts(parts: Parts, rng: Random) -> None:
    session = one_session(parts, rng)
    session["only_safety"] = not session.get("only_safety", False)


@tampering("endings", "ratings")
def an_ending(parts: Parts, rng: Random) -> None:
    session = one_session(parts, rng)
    session["ended"] = "resolved" if session["ended"] != "resolved" else "client_left"


@tampering("endings", "ratings")
def the_reason_of_an_ending(parts: Parts, rng: Random) -> None:
    one_session(parts, rng)["reason"] = "the client was content"


@tampering("endings", "ratings")
def a_shortened_session(parts: Parts, rng: Random) -> None:
    session = one_session(parts, rng)
    del session["turns"][-2:]


@tampering("client", "ratings")
def a_lengthened_session(parts: Parts, rng: Random) -> None:
    session = one_session(parts, rng)
    session["turns"] += json.loads(json.dumps(session["turns"][1:3]))


@tampering("endings", "ratings", "scripted")
def a_session_that_is_said_to_have_failed(parts: Parts, rng: Random) -> None:
    session = one_session(parts, rng)
    session |= {"turns": [], "ended": "failed", "reason": "the engine did not answer"}
    for log in (parts.ratings, parts.probes):
        log[:] = [record for record in log if record["scenario_id"] != session["scenario_id"]]


@tampering("identity")
def the_therapist_of_a_session(parts: Parts, rng: Random) -> None:
    one_session(parts, rng)["therapist"] = "somebody/else"


@tampering("identity")
def the_client_of_a_session(parts: Parts, rng: Random) -> None:
    one_session(parts, rng)["client"] = "openai/gpt-4o"


@tampering("contamination", "ratings")
def the_canary(parts: Parts, rng: Random) -> None:
    from mirror_bench.data.checks.canary import CANARY

    one_turn(one_session(parts, rng), rng, "therapist")["words"] += f" {CANARY}"
