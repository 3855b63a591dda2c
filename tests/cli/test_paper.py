"""The paper's study over the wire: four people, one of each type, and figures worked out by hand."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from talking_server import TalkingServer, serving, verdict

from mirror_bench.cli import cli
from mirror_bench.errors import InputError

pytestmark = pytest.mark.usefixtures("without_figures")

PEOPLE = {"rota": "emotional", "boss": "cognitive", "train": "behavioral", "garden": "no"}
"""A word that only this client says -> how the client resists."""
LEVEL = {"granite": 3, "velvet": 4, "paper": 2}
"""A word that only this candidate says -> how good the judge finds it: direct, p+ec, text."""
MORE = {"rota": 0, "boss": 1, "train": 2, "garden": -1}
"""What the judge adds to Understanding for this client."""
DIRECT, PLANNED, TEXT = "openai/sharp direct", "openai/sharp p+ec", "openai/plain text"


def said(body: dict[str, Any]) -> str:
    parts = [message["content"] for message in body["messages"]]
    return "\n".join(
        text if isinstance(text, str) else " ".join(part.get("text", "<image>") for part in text)
        for text in parts
    )


def client(body: dict[str, Any]) -> str:
    word = next(word for word in PEOPLE if f"about the {word}" in said(body))
    spoken = sum(message["role"] == "assistant" for message in body["messages"])
    if spoken:
        return f"[Nods slowly] The {word} can wait, then.\n<<SESSION ENDS: resolved>>"
    return f"[Looks away, jaw tight] It is the {word}. It is nothing."


def therapist(body: dict[str, Any]) -> str:
    text = said(body)
    if "Choose one technique" in text:
        return "Technique: reality testing\n1. Ask.\n2. Count."
    if "what does the client show" in text:
        return "Looks tired."
    word = "velvet" if "Plan:" in text else "granite" if "<image>" in text else "paper"
    return f"That sounds heavy as {word}. What would make it lighter for you?"


def judge(body: dict[str, Any]) -> str:
    text = said(body)
    if "Session 1:" in text:
        return preferred(text)
    mark = next(word for word in LEVEL if word in text)
    person = next(word for word in PEOPLE if f"the {word}" in text)
    title = re.findall(r"The question: ([^.]+)\.", text)[-1]
    if "from 1 to 5" in text:
        return verdict(6 - LEVEL[mark] if "Mind the direction" in text else LEVEL[mark])
    if title.startswith("Focus") and (mark, person) == ("paper", "boss"):
        return "I would rather not say."
    return verdict(
        0 if title.startswith("Strategy") else LEVEL[mark] + MORE[person] * (title == "Understanding")
    )


def preferred(text: str) -> str:
    first, second = text.partition("Session 2:")[::2]
    if "the rota" in text:
        return json.dumps({"better": "1", "reason": "the first I read", "evidence": []})
    levels = [next(LEVEL[word] for word in LEVEL if word in part) for part in (first, second)]
    return json.dumps({"better": "1" if levels[0] > levels[1] else "2", "reason": "so", "evidence": []})


@pytest.fixture(scope="module")
def server() -> Iterator[TalkingServer]:
    roles = {"client": client, "judge": judge}
    with serving(lambda body, number: roles.get(body["model"], therapist)(body)) as made:
        yield made


@pytest.fixture(scope="module")
def study(server: TalkingServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path, Result]:
    folder = tmp_path_factory.mktemp("paper")
    rows = [
        {
            "idx": f"cactus-{number}-{kind}-resistance",
            "personal_info": f"{name} is a 3{number}-year-old female working as a baker.",
            "reason_for_seeking_counseling": f"I lie awake about the {word}.",
            "resistance": f"{kind} resistance",
        }
        for number, (name, (word, kind)) in enumerate(
            zip(("Ana", "Ines", "Mei", "Ruth"), PEOPLE.items(), strict=True)
        )
    ]
    (folder / "mirror_test.json").write_text(json.dumps(rows))
    command = ["paper", "--data", f"mirror:{folder / 'mirror_test.json'}", "--methods", "direct,p+ec"]
    command += ["--therapist", server.model("sharp"), "--text", server.model("plain")]
    command += ["--client", server.model("client"), "--judge", server.model("judge"), "--samples", "1"]
    command += ["--no-safety", "--max-client-turns", "4", "--quiet", "--out", str(folder / "out")]
    asked = server.asked
    estimated = CliRunner().invoke(cli, [*command, "--estimate-only"], catch_exceptions=False)
    assert estimated.exit_code == 0
    assert "3 runs, 12 sessions" in estimated.output
    assert "12 comparisons" in estimated.output
    assert not (folder / "out").exists()
    assert server.asked == asked, "an estimate asks nobody"
    return command, folder / "out", CliRunner().invoke(cli, command, catch_exceptions=False)


def table(out: Path) -> Any:
    return json.loads((out / "paper.json").read_text())


def value(out: Path, candidate: str, resistance: str, metric: str) -> Any:
    found = table(out)
    (row,) = (
        row
        for row in found["rows"]
        if f"{row['therapist']} {row['method']}" == candidate and row["resistance"] == resistance
    )
    return next(score for score in row["scores"] if score["metric"] == metric)


def test_the_tables_figures_are_those_of_the_hand(study: tuple[list[str], Path, Result]) -> None:
    _, out, done = study
    assert done.exit_code == 0, done.output
    types = {"emotional": 0, "cognitive": 1, "behavioral": 2, "none": -1, "all": 0.5}
    for candidate, level in ((DIRECT, 3), (PLANNED, 4), (TEXT, 2)):
        for resistance, more in types.items():
            expected = {
                "ctrs.general": (3 * level + more) / 3,
                "wai.goal": level,
                "wai.approach": level,
                "wai.bond": level,
                "wai.total": level,
                "dropout": 0,
                "turns": 2,
            }
            for metric, figure in expected.items():
                found = value(out, candidate, resistance, metric)
                assert found["value"] == pytest.approx(figure, abs=1e-5), (candidate, resistance, metric)
                assert found["coverage"] == 1
            if candidate != TEXT:
                for metric, figure in (
                    ("ctrs.cbt", 2 * level / 3),
                    ("ctrs.without_strategy", (5 * level + more) / 5),
                    ("ctrs.total", (5 * level + more) / 6),
                ):
                    found = value(out, candidate, resistance, metric)
                    assert found["value"] == pytest.approx(figure, abs=1e-5), (candidate, resistance, metric)


def test_what_the_judge_did_not_say_is_missing_and_never_zero(study: tuple[list[str], Path, Result]) -> None:
    _, out, done = study
    for metric in ("ctrs.cbt", "ctrs.without_strategy"):
        assert value(out, TEXT, "cognitive", metric)["value"] is None
        assert value(out, TEXT, "all", metric)["n"] == 3
    # Of the three that are left: (2 + 2 + 0) / 3 each; five items with 0, 2 and -1 more on the first.
    assert value(out, TEXT, "all", "ctrs.cbt")["value"] == pytest.approx(4 / 3, abs=1e-5)
    assert value(out, TEXT, "all", "ctrs.without_strategy")["value"] == pytest.approx(31 / 15, abs=1e-5)
    # An instrument's total is of the items that there are: 3, 2, 2, 2 and 0.
    assert value(out, TEXT, "cognitive", "ctrs.total")["value"] == pytest.approx(1.8, abs=1e-5)
    assert "1 of 8 ratings lack answers" in done.output


def test_who_is_preferred_is_counted_by_type(study: tuple[list[str], Path, Result]) -> None:
    pairs = {(one["first"], one["second"], one["resistance"]): one for one in table(study[1])["preferences"]}

    def counts(first: str, second: str, resistance: str) -> tuple[int, int, int, float]:
        one = pairs[first, second, resistance]
        return one["wins"], one["ties"], one["losses"], one["win_rate"]["value"]

    assert counts(DIRECT, PLANNED, "all") == (0, 1, 3, 0.125)
    assert counts(DIRECT, TEXT, "all") == (3, 1, 0, 0.875)
    assert counts(PLANNED, TEXT, "cognitive") == (1, 0, 0, 1.0)
    assert counts(PLANNED, TEXT, "emotional") == (0, 1, 0, 0.5), "a verdict that turns with the order"


def test_text_csv_and_json_tell_the_same(study: tuple[list[str], Path, Result]) -> None:
    _, out, done = study
    rows = list(csv.DictReader((out / "paper.csv").open()))
    (row,) = (
        row
        for row in rows
        if (row["method"], row["resistance"], row["metric"]) == ("p+ec", "behavioral", "ctrs.general")
    )
    assert float(row["value"]) == pytest.approx(14 / 3, abs=1e-4)
    text = (out / "paper.txt").read_text()
    assert text in done.output
    assert "sharp · p+ec" in text
    assert "4.67" in text
    assert (out / "report.html").is_file()


def test_the_same_command_asks_nothing_twice(
    study: tuple[list[str], Path, Result], server: TalkingServer
) -> None:
    command, out, _ = study
    asked, before = server.asked, (out / "paper.csv").read_bytes()
    assert CliRunner().invoke(cli, command, catch_exceptions=False).exit_code == 0
    assert server.asked == asked
    assert (out / "paper.csv").read_bytes() == before


def test_a_study_beyond_its_budget_does_not_begin(
    study: tuple[list[str], Path, Result], server: TalkingServer, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("models:\n  openai/: {prompt: 5, completion: 5}\n")
    command = [*study[0][:-1], str(tmp_path / "out"), "--prices", str(prices), "--max-cost", "0.01"]
    asked = server.asked
    with pytest.raises(InputError, match="would take about"):
        CliRunner().invoke(cli, command, catch_exceptions=False)
    assert server.asked == asked


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "nobody to evaluate"),
        (["--therapist", "openai/a?base_url=x", "--therapist", "openai/a?base_url=y"], "two candidates"),
        (["--therapist", "openai/a", "--methods", "telepathy"], "telepathy"),
        (["--therapist", "openai/a", "--data", "mirror:nowhere"], "nowhere"),
    ],
)
def test_a_wrong_choice_is_one_clear_line(tmp_path: Path, options: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        CliRunner().invoke(cli, ["paper", *options, "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert "\n" not in str(caught.value)
