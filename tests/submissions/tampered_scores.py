"""Ways to tamper with ratings, probes and the summary of a submission."""

from __future__ import annotations

import json
from random import Random

from tampering import Json, Parts, tampering


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
