"""Screenplays by a good writer behind a wire server, who at times refuses or repeats itself, or is away."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chat_server import Server, completion
from click.testing import CliRunner, Result

from mirror_bench.cli import cli
from mirror_bench.data.base import DataSet
from mirror_bench.data.export.mini_folder import write_packaged
from mirror_bench.data.sources.registry import load_data
from mirror_bench.errors import InputError
from mirror_bench.making.screenplays.splitting import read_shares, splits_by_person
from mirror_bench.making.screenplays.writer import briefs, plan_request, read_plan
from mirror_bench.schema import Profile, Resistance

pytest_plugins = ("chat_fixtures",)

PLAN = (
    "TECHNIQUE: Continuum\n1. She jokes about the scale, eyes on the door.\n2. He asks where a nine would be."
)


def _play(*exchanges: tuple[str, str, str]) -> str:
    lines = ["Therapist: [Warm, unhurried] Good that you found the way up. What made it today?"]
    for shows, said, answer in exchanges:
        lines += [f"Client: [{shows}] {said}", f"Therapist: [Quietly] {answer}"]
    return "\n".join([*lines, "Client: [Shrugs, a brief smile] We will see about next week."])


BOAT = _play(
    ("Grins, gaze on the window", "My brother drove me. He thinks this is a garage for people.", "And you?"),
    (
        "Rolls his eyes",
        "I think the boat needs varnish more than I need a chair.",
        "The boat gets your Sundays.",
    ),
    (
        "Jaw tight, looks down",
        "It was our father's. Nobody asked me if I wanted it.",
        "Your voice went low there.",
    ),
    (
        "Arms crossed",
        "That is the stairs. Fourth floor, no lift.",
        "Then let us leave it with the stairs for now.",
    ),
)
CHOIR = _play(
    (
        "Brows drawn together",
        "The choir put my solo back to Easter, so I have a gap.",
        "A gap you did not choose.",
    ),
    (
        "Lips pressed together",
        "They were polite about it, which is the worst kind.",
        "What does polite hide?",
    ),
    (
        "Eyes wet, head lowered",
        "That my top notes are gone and everybody heard it.",
        "You heard it first, maybe.",
    ),
    ("Looks up, wary", "Every morning, in the shower, with the radio on.", "That is a lonely audience."),
)
BAKER = _play(
    ("Rubs her eyes, slumped", "I close the shop at two and I am asleep by three.", "And the hours between?"),
    ("Shakes her head", "There is no between. There is flour and there is bed.", "You say that like a rule."),
    ("Chin raised", "It is a rule. My aunt kept it for forty winters.", "Did she ever break it?"),
    (
        "Laughs, then frowns",
        "Once, for a wedding. She talked about it until she died.",
        "I would like that story.",
    ),
)
GARDEN = _play(
    ("Looks at his hands", "The allotment got a letter. They want the plot tidy by June.", "Tidy for whom?"),
    ("Mouth drawn down", "TAKEN", "You said that very fast."),
    ("Turns away, shoulders up", "Weeds do not answer letters either.", "So you are in good company."),
    ("Sighs, eyes closed", "My wife kept the roses. I only carried the water.", "You miss her there."),
)
DANGER = BAKER.replace(
    "There is no between. There is flour and there is bed.", "I want to kill myself, tonight."
)
BARE = CHOIR.replace("[", "(").replace("]", ")")
"""Who -> what the writer gives: names of clients stand for what goes wrong with them."""
GIVEN: dict[str, str] = {
    "Anton": BOAT,
    "Berta": CHOIR,
    "Cesar": BOAT.replace("fourth floor", "third floor"),
    "Dora": "I'm sorry, but I can't help with writing that.",
    "Emil": CHOIR,
    "Fanny": DANGER,
    "Gustav": "",
    "Hilde": BARE,
    "Ivan": BAKER,
}


def _rule(down: set[str], takes_over: str = "") -> Callable[[dict[str, Any]], Any]:
    def rule(body: dict[str, Any]) -> Any:
        asked = str(body["messages"][0]["content"])
        name = next(one for one in GIVEN if one in asked)
        if name in down:
            return 400, {"error": {"message": "this prompt is not served"}}, {}
        if "You prepare" in asked:
            return 200, completion("No." if name == "Emil" else PLAN), {}
        if name == "Gustav":
            return 200, completion(GARDEN.replace("TAKEN", takes_over)), {}
        return 200, completion(GIVEN[name]), {}

    return rule


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    people = [
        Profile(
            id=name.lower(),
            name=name,
            age=30 + number,
            gender="female" if name[-1] == "a" else "male",
            presenting_problem=f"{name} has put off a talk at work for {number + 2} weeks.",
        )
        for number, name in enumerate(GIVEN)
    ]
    return write_packaged(DataSet("test", tuple(people)), tmp_path / "people")


def _make(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["data", "make", "--quiet", *map(str, arguments)])


def _counts(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "yield.json").read_text())
    return value


def _protected_line() -> str:
    """A line of the held-back part of MIRROR-Mini that is long enough to count."""
    plays = load_data("mini").of_split("test").screenplays
    return next(line.words for play in plays for line in play.lines if 12 <= len(line.words.split()) <= 18)


def test_every_rejection_is_counted_and_what_was_lost_is_asked_for_again(
    profiles: Path, tmp_path: Path, server: Server
) -> None:
    out = tmp_path / "made"
    server.rule = _rule({"Ivan"}, _protected_line())
    command = (
        "--data",
        f"mini:{profiles}",
        "--writer",
        f"openai/w?base_url={server.url}&max_retries=0",
        "-o",
        out,
    )
    more = ("--resistance", "emotional", "--shares", "50,25,25")
    first = _make(*command, *more)
    assert first.exit_code == 1, first.output
    assert "1 could not be asked for: run the same command again" in first.output
    asked = len(server.bodies)
    server.rule = _rule(set(), _protected_line())
    done = _make(*command, *more)
    assert done.exit_code == 0, done.output
    assert len(server.bodies) == asked + 2, "only what was lost is asked for"

    counts = _counts(out)
    assert (counts["due"], counts["written"], counts["kept"]) == (9, 7, 3)
    fell = {name: many for name, many in counts["first"].items() if many}
    assert fell == {
        "plan": 1,
        "unreadable": 1,
        "caution": 1,
        "stage directions": 1,
        "near-duplicate": 1,
        "contamination": 1,
    }
    assert sum(counts["first"].values()) + counts["kept"] == counts["due"]
    rejections = [json.loads(row) for row in (out / "rejections.jsonl").read_text().splitlines()]
    reasons = {one["screenplay"]: (one["filter"], one["reason"]) for one in rejections}
    assert reasons["emil-emotional"] == ("plan", "the plan has no technique or no numbered steps: 'No.'")
    assert reasons["cesar-emotional"][0] == "near-duplicate"
    assert reasons["cesar-emotional"][1].endswith("of its 5-grams are those of anton-emotional")
    assert "kill myself" in reasons["fanny-emotional"][1]
    assert reasons["hilde-emotional"][1] == "0 of 5 client lines have a stage direction"
    assert "runs of words of mini-" in reasons["gustav-emotional"][1]

    made = load_data(f"mini:{out / 'data'}")
    assert made.problems == ()
    assert [play.id for play in made.screenplays] == [
        f"{who}-emotional" for who in ("anton", "berta", "ivan")
    ]
    assert {play.technique for play in made.screenplays} == {"continuum"}
    assert {profile.resistance for profile in made.profiles} == {Resistance.EMOTIONAL}
    assert sum(counts["splits"].values()) == 3
    assert "3 of 9 screenplays kept (33.3%)" in done.output


def test_a_session_of_the_made_data_can_be_held(profiles: Path, tmp_path: Path, server: Server) -> None:
    server.rule = _rule(set(), "It was only ever hers.")
    made = _make(
        "--data", f"mini:{profiles}", "--writer", f"openai/w?base_url={server.url}", "-o", tmp_path / "m"
    )
    assert made.exit_code == 0, made.output
    given = [
        "run",
        "--therapist",
        "scripted/reflective",
        "--data",
        f"mini:{tmp_path / 'm' / 'data'}",
        "--limit",
        "1",
    ]
    given += ["--no-safety", "--seeds", "0", "--max-client-turns", "3", "-o", str(tmp_path / "run")]
    done = CliRunner().invoke(cli, given)
    assert done.exit_code == 0, done.output


def test_nothing_kept_is_no(profiles: Path, tmp_path: Path, server: Server) -> None:
    server.rule = lambda body: (200, completion("I'm sorry, but I can't help with that."), {})
    made = _make(
        "--data", f"mini:{profiles}", "--writer", f"openai/w?base_url={server.url}", "-o", tmp_path / "m"
    )
    assert made.exit_code == 1
    assert "0 of 9 screenplays kept" in made.output
    assert _counts(tmp_path / "m")["first"]["plan"] == 9
    assert not (tmp_path / "m" / "data").exists()


def test_profiles_of_a_protected_split_are_never_asked_for(tmp_path: Path, server: Server) -> None:
    writer = f"openai/w?base_url={server.url}"
    made = _make(
        "--data", "mini", "--split", "test", "--limit", "2", "--writer", writer, "-o", tmp_path / "m"
    )
    assert made.exit_code == 1
    assert _counts(tmp_path / "m")["first"]["protected profile"] == 2
    assert server.bodies == []


def test_costs_are_told_before_and_a_limit_stops(profiles: Path, tmp_path: Path, server: Server) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("models: {openai/w: {prompt: 2, completion: 10}}\n")
    writer = f"openai/w?base_url={server.url}"
    common = ("--data", f"mini:{profiles}", "--writer", writer, "-o", tmp_path / "m", "--prices", prices)
    told = _make(*common, "--estimate", "--json")
    assert told.exit_code == 0, told.output
    planner, written = json.loads(told.output)
    assert (planner["role"], written["role"]) == ("planner", "writer")
    assert planner["usage"]["calls"] == written["usage"]["calls"] == 9
    assert written["usage"]["tokens"] > planner["usage"]["tokens"] > 9 * 100
    use = written["usage"]
    assert written["usd"] == pytest.approx((use["prompt_tokens"] * 2 + use["tokens"] * 10) / 1e6)
    assert "In all" in _make(*common, "--estimate").output
    assert server.bodies == []
    assert not (tmp_path / "m").exists()
    server.rule = _rule(set(), "It was only ever hers.")
    stopped = _make(*common, "--max-cost", "0.0001", "--concurrency", "1")
    assert isinstance(stopped.exception, InputError)
    assert "stopped at --max-cost" in str(stopped.exception)
    assert _make(*common, "--max-cost", "1").exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--shares", "80,30,10"), "three numbers that make 100"),
        (("--shares", "80"), "three numbers that make 100"),
        (("--split", "dev"), "has no profile of it"),
    ],
)
def test_options_that_do_not_fit_are_named(
    profiles: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = _make("--data", f"mini:{profiles}", "--writer", "openai/w", "-o", tmp_path / "m", *options)
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)


def test_one_person_stands_in_one_split() -> None:
    people = [
        Profile(id=f"p{number}-{kind}", name=f"N{number}", age=number, resistance=Resistance(kind))
        for number in range(60)
        for kind in ("emotional", "none")
    ]
    found = splits_by_person(people, read_shares("70,20,10"))
    assert all(found[f"p{number}-emotional"] == found[f"p{number}-none"] for number in range(60))
    counts = [sum(split == name for split in found.values()) for name in ("train", "dev", "test")]
    assert counts == [84, 24, 12]
    assert found == splits_by_person(people[::-1], read_shares("70,20,10"))


def test_a_plan_is_read_as_models_write_it() -> None:
    plan = read_plan("**Technique:** Behavior experiment.\n\nPlan:\n1) First.\n2) Second, at last.")
    assert plan is not None
    assert plan.technique == "behavior experiment"
    assert plan.steps == "1) First.\n2) Second, at last."
    assert read_plan("Technique: hypnosis\n1. a\n2. b") is None
    assert read_plan("Technique: continuum\n1. a") is None


def test_each_kind_of_resistance_is_put_into_the_plan() -> None:
    profile = Profile(id="a", name="Ada", distorted_thought="I break what I touch.")
    found = briefs([profile], list(Resistance), 2)
    assert len(found) == 8
    asked = {brief.profile.resistance: plan_request(brief).messages[0].text for brief in found}
    assert len(set(asked.values())) == 4
    assert "The face shows what the words deny." in asked[Resistance.EMOTIONAL]
    assert all("I break what I touch." in text for text in asked.values())
