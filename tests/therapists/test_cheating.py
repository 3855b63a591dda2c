from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from mirror_bench.content import tasks_root
from mirror_bench.data.sources.mini import load_mini
from mirror_bench.errors import InputError
from mirror_bench.protocol import TherapistSettings
from mirror_bench.schema import Scenario, Speaker
from mirror_bench.sessions.candidate import open_therapist, read_candidate
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.therapists.cheats import cheat_names, cheating, load_cheat

PERSON = load_mini().profiles[0]
SCENARIO = Scenario(profile=PERSON, resistance=PERSON.resistance)


def said(name: str, heard: str = "I lost my keys and I feel stupid about it.") -> str:
    return asyncio.run(cheating(name)(SCENARIO).reply(heard, None)).words


@pytest.mark.parametrize("name", cheat_names())
def test_a_cheat_holds_the_same_session_twice(name: str) -> None:
    first, second = (rehearse(SCENARIO, cheating(name), 6) for _ in range(2))
    assert first == second
    own = [turn.words for turn in first.turns if turn.speaker is Speaker.THERAPIST]
    assert own
    assert all(own) if name != "silence" else not any(own)
    assert not any("{turned}" in words or "{words}" in words or "{topic}" in words for words in own)


@pytest.mark.parametrize("name", cheat_names())
@pytest.mark.parametrize("heard", ["", "…", "{0} {turned}", "No.", "x" * 10_000])
def test_any_client_words_are_met(name: str, heard: str) -> None:
    assert len(said(name, heard)) < 20_000


def test_kinds_of_cheats_do_what_they_say() -> None:
    assert len(said("endless").split()) > 200
    assert said("silence") == ""
    assert any(f"\n{who}:" in said("invented_client").casefold() for who in ("client", "patient"))
    assert len({load_cheat(name).title for name in cheat_names()}) == len(cheat_names())


def test_a_cheat_is_a_candidate() -> None:
    candidate = read_candidate("cheat/praise")
    assert candidate.scripted
    assert candidate.name == "cheat/praise"
    therapist = open_therapist(candidate, SCENARIO, None, TherapistSettings())
    assert asyncio.run(therapist.reply("Hello.", None)).words in {
        words[:1].upper() + words[1:] for words in load_cheat("praise").phrases
    }
    with pytest.raises(InputError, match=r"no gaming/nobody\.yaml"):
        read_candidate("cheat/nobody")
    with pytest.raises(InputError, match="takes no --method"):
        read_candidate("cheat/praise", method="direct")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("title: x\ntries: y\nstopped_by: [charm]\nphrases: [a]\n", "no feature is named 'charm'"),
        ("title: x\ntries: y\nstopped_by: [echoes]\nphrases: ['{name}']\n", "no slot 'name'"),
        ("title: x\ntries: y\nstopped_by: [echoes]\nphrases: ['{words}']\n", "without slots"),
        ("title: x\ntries: y\nstopped_by: [echoes]\nphrases: ['{']\n", "write a brace twice"),
        ("title: x\ntries: y\nstopped_by: [echoes]\nphrases: []\n", "phrases"),
        ("title: x\n", "tries"),
    ],
)
def test_a_broken_file_is_named(
    broken: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "protocols").mkdir()
    (tmp_path / "gaming").mkdir()
    (tmp_path / "gaming" / "broken.yaml").write_text(broken)
    shutil.copytree(tasks_root() / "behaviours", tmp_path / "behaviours")
    tasks_root.cache_clear()
    load_cheat.cache_clear()
    monkeypatch.setenv("MIRROR_BENCH_TASKS", str(tmp_path))
    try:
        with pytest.raises(InputError, match=message) as caught:
            load_cheat("broken")
        assert "broken.yaml" in str(caught.value)
    finally:
        monkeypatch.undo()
        tasks_root.cache_clear()
        load_cheat.cache_clear()
