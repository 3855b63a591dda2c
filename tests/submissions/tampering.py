"""Ways to tamper with a submission, each by a forger who covers the tracks as far as our own code allows.

Whatever is changed, the digests in the manifest are made to fit. Where sessions are changed, ratings, summary
and coverage are made anew from them as well, so that nothing but the session itself can give the forger away.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from mirror_bench.data.sources import load_data
from mirror_bench.errors import InputError
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.instruments import load_instrument
from mirror_bench.schema import Rating, Session, canonical_json, digest
from mirror_bench.sessions.probe import Probe
from mirror_bench.sessions.store import RunHeader
from mirror_bench.submissions.archive import MANIFEST
from mirror_bench.submissions.pack import files_of
from mirror_bench.submissions.recompute import coverage_of, scenarios_due, summary_of

Json = dict[str, Any]


@dataclass
class Parts:
    """A submission taken apart, to be changed in place."""

    manifest: Json
    header: Json
    summary: Json
    sessions: list[Json]
    ratings: list[Json]
    probes: list[Json]
    others: dict[str, bytes] = field(default_factory=dict)
    fits: bool = True

    @classmethod
    def of(cls, members: Mapping[str, bytes]) -> Parts:
        others = {name: content for name, content in members.items() if name.startswith("faces/")}
        log = {
            name: [json.loads(line) for line in members[f"{name}.jsonl"].splitlines()]
            for name in ("sessions", "ratings", "probes")
        }
        manifest, header, summary = (
            json.loads(members[name]) for name in (MANIFEST, "run.json", "summary.json")
        )
        return cls(manifest, header, summary, log["sessions"], log["ratings"], log["probes"], others)

    def members(self) -> dict[str, bytes]:
        found = {
            "run.json": _pretty(self.header),
            "summary.json": _pretty(self.summary),
            "sessions.jsonl": _lines(self.sessions),
            "ratings.jsonl": _lines(self.ratings),
            "probes.jsonl": _lines(self.probes),
            **self.others,
        }
        if self.fits:
            self.manifest["files"] = {name: one.model_dump() for name, one in files_of(found).items()}
        return {MANIFEST: _pretty(self.manifest), **found}


def _pretty(value: Json) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _lines(values: Sequence[Json]) -> bytes:
    return "".join(f"{canonical_json(value)}\n" for value in values).encode()


Change = Callable[[Parts, Random], None]


class Tampering(NamedTuple):
    """One way to tamper.

    Attributes:
        check: Which check must find it, whatever others do.
        covers: What the forger makes anew: "ratings" (and all that follows), "summary", or nothing.
        kind: "scripted" or "model" where it makes sense for one kind of candidate alone.
    """

    name: str
    check: str
    covers: str
    kind: str
    change: Change


TAMPERINGS: list[Tampering] = []


def tampering(check: str, covers: str = "", kind: str = "") -> Callable[[Change], Change]:
    def add(change: Change) -> Change:
        TAMPERINGS.append(Tampering(change.__name__.replace("_", " "), check, covers, kind, change))
        return change

    return add


def cover(parts: Parts, covers: str) -> None:
    """Makes ratings, summary and coverage fit the sessions, as an honest run of them would."""
    if not covers:
        return
    header = RunHeader.model_validate(parts.header)
    data = load_data(header.protocol.data)
    profiles = {profile.id: profile for profile in data.profiles}
    sessions = [Session.model_validate(value) for value in parts.sessions]
    parts.sessions = [json.loads(session.line()) for session in sessions]
    if covers == "ratings":
        by_id = {session.scenario_id: session for session in sessions}
        for place, value in enumerate(parts.ratings):
            session = by_id.get(value["scenario_id"])
            if value["rater"] == "coded" and session is not None:
                made = CodedRater().rate(
                    session, profiles[session.profile_id], load_instrument(value["instrument"])
                )
                parts.ratings[place] = json.loads(asyncio.run(made).line())
    ratings = [Rating.model_validate(value) for value in parts.ratings]
    parts.ratings = [json.loads(rating.line()) for rating in ratings]
    probes = [Probe.model_validate(value) for value in parts.probes]
    due = scenarios_due(header, data)
    coverage = coverage_of(header, data, sessions, ratings, due)
    try:
        summary = summary_of(header, sessions, ratings, probes, due)
    except (InputError, KeyError):
        return  # what was made cannot be scored: the forger leaves the old figures
    parts.manifest["coverage"] = coverage.model_dump()
    parts.summary = summary.model_dump(mode="json")


# Sessions


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
    from mirror_bench.data.canary import CANARY

    one_turn(one_session(parts, rng), rng, "therapist")["words"] += f" {CANARY}"


# Ratings


def one_item(parts: Parts, rng: Random, rater: str = "coded") -> Json:
    ratings = [rating for rating in parts.ratings if rating["rater"].startswith(rater)]
    items = [item for rating in ratings for item in rating["items"].values() if item.get("score") is not None]
    return rng.choice(items)


@tampering("coded", "summary")
def a_score(parts: Parts, rng: Random) -> None:
    item = one_item(parts, rng)
    item["score"] = round(item["score"] + (0.01 if item["score"] < 3 else -0.01), 2)


@tampering("coded", "summary")
def a_turn_of_evidence(parts: Parts, rng: Random) -> None:
    item = one_item(parts, rng)
    item["evidence"] = [] if item.get("evidence") else [1]


@tampering("evidence", "summary")
def evidence_that_is_not_there(parts: Parts, rng: Random) -> None:
    one_item(parts, rng)["evidence"] = [rng.choice([-1, 999])]


@tampering("evidence", "summary", "model")
def a_quote_that_nobody_said(parts: Parts, rng: Random) -> None:
    one_item(parts, rng, "llm:")["evidence"] = ["You were the first to understand me"]


@tampering("coded", "summary")
def the_reason_of_a_score(parts: Parts, rng: Random) -> None:
    one_item(parts, rng)["reason"] = "excellent"


@tampering("ratings", "summary")
def a_dropped_rating(parts: Parts, rng: Random) -> None:
    own = [rating for rating in parts.ratings if rating["rater"] == "coded"]
    parts.ratings.remove(rng.choice(own))


@tampering("ratings", "summary")
def a_doubled_rating(parts: Parts, rng: Random) -> None:
    place = rng.randrange(len(parts.ratings))
    parts.ratings.insert(place, json.loads(json.dumps(parts.ratings[place])))


@tampering("ratings", "summary")
def a_dropped_item(parts: Parts, rng: Random) -> None:
    items = rng.choice(parts.ratings)["items"]
    del items[rng.choice(sorted(items))]


@tampering("ratings", "summary")
def a_score_off_the_scale(parts: Parts, rng: Random) -> None:
    one_item(parts, rng)["score"] = 99.0


@tampering("ratings", "summary")
def a_score_that_vanished(parts: Parts, rng: Random) -> None:
    item = one_item(parts, rng)
    item |= {"score": None, "reason": ""}


@tampering("coded", "summary")
def ratings_of_two_sessions_swapped(parts: Parts, rng: Random) -> None:
    own = [one for one in parts.ratings if one["rater"] == "coded" and one["instrument"] == "wai"]
    one = rng.choice(own)
    other = rng.choice([other for other in own if other["items"] != one["items"]])
    one["items"], other["items"] = other["items"], one["items"]


@tampering("ratings", "summary")
def a_rater_of_another_name(parts: Parts, rng: Random) -> None:
    own = [rating for rating in parts.ratings if rating["rater"] == "coded"]
    rng.choice(own)["rater"] = "coded again"


@tampering("ratings")
def another_instrument(parts: Parts, rng: Random) -> None:
    rng.choice(parts.ratings)["instrument"] = "../../../etc/passwd"


@tampering("ratings", "summary")
def a_rating_of_somebody_else(parts: Parts, rng: Random) -> None:
    rng.choice(parts.ratings)["therapist"] = "somebody/else"


# Probes


@tampering("probes", "summary")
def a_dropped_probe(parts: Parts, rng: Random) -> None:
    parts.probes.remove(rng.choice(parts.probes))


@tampering("probes", "summary")
def what_was_held_when_it_was_probed(parts: Parts, rng: Random) -> None:
    rng.choice(parts.probes)["held"] += " I see."


@tampering("probes", "summary")
def whether_a_probe_remarks(parts: Parts, rng: Random) -> None:
    probe = rng.choice(parts.probes)
    probe["remarks"] = not probe.get("remarks", False)
    probe.pop("remarks") if not probe["remarks"] else None


@tampering("probes", "summary", "scripted")
def the_words_of_a_probe(parts: Parts, rng: Random) -> None:
    rng.choice(parts.probes)["words"] = "It shows on your face that this is hard."


# The summary


def one_score(parts: Parts, rng: Random) -> Json:
    scores = [s for entry in parts.summary["entries"] for s in entry["scores"] if s["low"] is not None]
    return rng.choice(scores)


@tampering("scores")
def a_figure_of_the_summary(parts: Parts, rng: Random) -> None:
    one_score(parts, rng)["value"] += 0.25


@tampering("scores")
def the_last_digit_of_a_figure(parts: Parts, rng: Random) -> None:
    score = one_score(parts, rng)
    score["value"] = round(score["value"] + 1e-6, 6)


@tampering("scores")
def an_interval(parts: Parts, rng: Random) -> None:
    one_score(parts, rng)["low"] -= 0.1


@tampering("scores")
def the_number_of_sessions_of_a_score(parts: Parts, rng: Random) -> None:
    one_score(parts, rng)["n"] += 40


@tampering("scores")
def a_dropped_entry(parts: Parts, rng: Random) -> None:
    parts.summary["entries"].pop(rng.randrange(len(parts.summary["entries"])))


@tampering("scores")
def a_visual_gain(parts: Parts, rng: Random) -> None:
    rng.choice(parts.summary["gains"])["difference"]["value"] = 0.5


# The header


@tampering("protocol")
def the_turn_limit(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["max_client_turns"] = rng.randrange(13, 20)


@tampering("protocol")
def the_protocols_seeds(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["seeds"] = [0, rng.randrange(2, 99)]


@tampering("protocol")
def the_temperature(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["therapist"]["sampling"]["temperature"] = 0.7


@tampering("protocol")
def the_split(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["split"] = rng.choice(["train", "dev", ""])


@tampering("protocol")
def the_raters(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["raters"][0]["sees"] = "words_and_directions"


@tampering("protocol")
def the_name_of_the_protocol(parts: Parts, rng: Random) -> None:
    parts.header["protocol"]["name"] = parts.manifest["protocol"] = "../offline"


@tampering("fingerprint")
def the_fingerprint(parts: Parts, rng: Random) -> None:
    other = f"{rng.getrandbits(256):064x}"
    parts.header["fingerprint"] = parts.manifest["fingerprint"] = parts.summary["fingerprint"] = other


def refit(parts: Parts) -> None:
    """The fingerprint fits its parts again."""
    other = digest(parts.header["parts"])
    parts.header["fingerprint"] = parts.manifest["fingerprint"] = parts.summary["fingerprint"] = other


@tampering("content")
def the_digest_of_a_prompt(parts: Parts, rng: Random) -> None:
    names = sorted(key for key in parts.header["parts"] if key.endswith((".jinja", ".yaml")))
    parts.header["parts"][rng.choice(names)] = f"{rng.getrandbits(256):064x}"
    refit(parts)


@tampering("data")
def the_digest_of_the_data(parts: Parts, rng: Random) -> None:
    parts.header["parts"]["data"] = f"{rng.getrandbits(256):064x}"
    refit(parts)


@tampering("code")
def the_version_of_the_client(parts: Parts, rng: Random) -> None:
    parts.header["parts"]["code.client"] = "99"
    refit(parts)


@tampering("identity")
def the_candidate(parts: Parts, rng: Random) -> None:
    parts.header["candidate"]["therapist"] = "openai/gpt-4o"


@tampering("scenarios")
def the_selection(parts: Parts, rng: Random) -> None:
    parts.header["selection"]["limit"] = rng.choice([None, 1, 9])


@tampering("scenarios")
def the_conditions(parts: Parts, rng: Random) -> None:
    parts.header["selection"]["conditions"] = ["matched"]


@tampering("scenarios")
def the_number_of_sessions(parts: Parts, rng: Random) -> None:
    parts.header["selection"]["sessions"] += 1


@tampering("seeds")
def how_seeds_are_derived(parts: Parts, rng: Random) -> None:
    parts.header["seeds"] = "drawn at random"


@tampering("records")
def a_field_that_no_record_has(parts: Parts, rng: Random) -> None:
    rng.choice([parts.sessions, parts.ratings])[0]["note"] = "trust me"


# The manifest


@tampering("identity")
def the_therapist_in_the_manifest(parts: Parts, rng: Random) -> None:
    parts.manifest["therapist"] = "somebody/else"


@tampering("identity")
def the_method_in_the_manifest(parts: Parts, rng: Random) -> None:
    parts.manifest["method"] = "p+ec"


@tampering("identity")
def the_fingerprint_in_the_manifest(parts: Parts, rng: Random) -> None:
    parts.manifest["fingerprint"] = f"{rng.getrandbits(256):064x}"


@tampering("identity")
def the_protocol_in_the_manifest(parts: Parts, rng: Random) -> None:
    parts.manifest["protocol"] = "paper"


@tampering("identity")
def the_modality(parts: Parts, rng: Random) -> None:
    parts.manifest["card"]["modality"] = "text"


@tampering("coverage")
def the_coverage(parts: Parts, rng: Random) -> None:
    key = rng.choice(sorted(parts.manifest["coverage"]))
    parts.manifest["coverage"][key] += 1


@tampering("templates", "", "model")
def a_template_that_is_not_declared(parts: Parts, rng: Random) -> None:
    parts.manifest["card"]["templated"] = False


@tampering("files")
def a_digest_in_the_manifest(parts: Parts, rng: Random) -> None:
    parts.members()
    parts.fits = False
    one = rng.choice(sorted(parts.manifest["files"]))
    parts.manifest["files"][one]["sha256"] = f"{rng.getrandbits(256):064x}"


@tampering("files")
def a_file_that_is_not_listed(parts: Parts, rng: Random) -> None:
    parts.members()
    parts.fits = False
    del parts.manifest["files"][rng.choice(sorted(parts.manifest["files"]))]


@tampering("manifest")
def a_key_that_no_manifest_has(parts: Parts, rng: Random) -> None:
    parts.manifest["card"]["award"] = "best"


@tampering("manifest")
def a_missing_licence(parts: Parts, rng: Random) -> None:
    del parts.manifest["card"]["licence"]


@tampering("manifest")
def a_link_that_is_a_script(parts: Parts, rng: Random) -> None:
    parts.manifest["card"]["links"] = ["javascript:alert(1)"]


# Files


def faces(parts: Parts) -> list[str]:
    return sorted(name for name in parts.others if name.startswith("faces/"))


@tampering("files")
def another_image_under_a_faces_name(parts: Parts, rng: Random) -> None:
    one, other = rng.sample(faces(parts), 2)
    parts.others[one] = parts.others[other]


@tampering("files")
def an_image_that_nobody_saw(parts: Parts, rng: Random) -> None:
    parts.others[f"faces/{rng.getrandbits(256):064x}.png"] = parts.others[faces(parts)[0]]


@tampering("archive")
def a_file_name_that_leads_out(parts: Parts, rng: Random) -> None:
    one = faces(parts)[0]
    parts.others[rng.choice(["../run.json", "/etc/cron.d/x", "faces/../../x.png", "C:\\x"])] = (
        parts.others.pop(one)
    )


@tampering("archive")
def a_file_that_belongs_to_no_submission(parts: Parts, rng: Random) -> None:
    parts.others[rng.choice(["setup.py", "index.html", "faces/x.png", "RUN.json"])] = b"hello"
