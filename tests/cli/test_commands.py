import json
import subprocess
import sys
from pathlib import Path

import pytest

from mirror_bench.cli import COMMANDS, main


def _call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mirror-bench", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def test_help_lists_every_command_and_imports_next_to_nothing() -> None:
    code = (
        "import sys; sys.argv = ['mirror-bench', '--help']\n"
        "from mirror_bench.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*[m for m in ('pydantic', 'numpy', 'yaml', 'rich', 'jinja2') if m in sys.modules], sep=',')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(f"  {command} " in done.stdout for command in COMMANDS)
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _call(monkeypatch, command, "--help") == 0
    assert "Usage:" in capsys.readouterr().out


BAD = {
    "no command": (["rnu"], "no command 'rnu': did you mean 'run'"),
    "no therapist": (["run"], "--therapist"),
    "no provider": (["run", "--therapist", "gpt-4o"], "provider/name"),
    "unknown provider": (["run", "--therapist", "vlm/x", "--out", "{tmp}/r"], "did you mean 'vllm'"),
    "unknown option": (
        ["run", "--therapist", "openai/x?base_ulr=y", "--out", "{tmp}/r"],
        "did you mean 'base_url'",
    ),
    "unknown method": (["run", "--therapist", "openai/x", "--method", "dirct"], "did you mean 'direct'"),
    "method of a script": (["run", "--therapist", "scripted/parrot", "--method", "ec"], "takes no --method"),
    "protocol by a letter": (["run", "--therapist", "scripted/parrot", "--protocol", "offlin"], "'offline'"),
    "one client turn": (["run", "--therapist", "scripted/parrot", "--max-client-turns", "1"], "2<=x<=200"),
    "a file that is no instrument's": (
        ["run", "--therapist", "scripted/parrot", "--instrument", "{file}"],
        "ends in .yaml",
    ),
    "unknown protocol": (
        ["run", "--therapist", "scripted/parrot", "--protocol", "x"],
        "known are mindeval, offline, paper",
    ),
    "unknown condition": (
        ["run", "--therapist", "scripted/parrot", "--face-conditions", "upside"],
        "'upside'",
    ),
    "seeds": (["run", "--therapist", "scripted/parrot", "--seeds", "a,b"], "--seeds 'a,b'"),
    "unknown judge": (["run", "--therapist", "scripted/parrot", "--judge", "gpt"], "--judge"),
    "unknown instrument": (["run", "--therapist", "scripted/parrot", "--instrument", "wia"], "wia"),
    "unknown client": (["run", "--therapist", "scripted/parrot", "--client", "statefull"], "'stateful'?"),
    "unknown data": (["run", "--therapist", "scripted/parrot", "--data", "mirorr:x"], "mirorr"),
    "missing data": (["run", "--therapist", "scripted/parrot", "--data", "mirror:{tmp}/no.csv"], "no.csv"),
    "empty split": (["run", "--therapist", "scripted/parrot", "--split", "tset", "--out", "{tmp}/r"], "tset"),
    "out is a file": (["run", "--therapist", "scripted/parrot", "--out", "{file}"], "is a file"),
    "no checkpoint": (["run", "--therapist", "vllm/{tmp}/none", "--out", "{tmp}/r"], "{tmp}/none"),
    "transformers without checkpoint": (
        ["run", "--therapist", "transformers/{tmp}/none", "--out", "{tmp}/r"],
        "{tmp}/none",
    ),
    "an address that is none": (
        ["run", "--therapist", "openai/m?base_url=http://[::1/v1", "--out", "{tmp}/r"],
        "base_url=http://[::1/v1 is no address",
    ),
    "a cost that is no number": (
        ["run", "--therapist", "scripted/parrot", "--max-cost", "nan", "--out", "{tmp}/r"],
        "nan is not a finite number",
    ),
    "an endless margin": (["gate", "--margin", "inf", "--baseline", "a", "--candidate", "b"], "not a finite"),
    "a rate of nothing": (
        ["estimate", "--therapist", "openai/m", "--tokens-per-second", "nan"],
        "not a finite",
    ),
    "an effect that is no number": (["power", "--effect", "nan", "--standardized"], "not a finite"),
    "a width that is no number": (["study", "plan", "--width", "nan"], "not a finite"),
    "prices that are not there": (
        ["run", "--therapist", "scripted/parrot", "--prices", "{tmp}/no.yaml", "--out", "{tmp}/r"],
        "no.yaml",
    ),
    "report of nothing": (["report", "{tmp}"], "is no run folder"),
    "report of two without a place": (["report", "{tmp}", "{tmp}"], "--out"),
    "rate nothing": (["rate", "{tmp}"], "is no run folder"),
    "unknown protocol shown": (["protocol", "x"], "known are mindeval, offline, paper"),
    "sheet of another kind": (["faces", "sheet", "--out", "{tmp}/a.gif"], ".png"),
    "negative limit": (["run", "--therapist", "scripted/parrot", "--limit", "0"], "--limit"),
    "data unreadable": (["data", "info", "--data", "cactus:{file}"], "{file}"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_exit_code_2(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file.json"
    file.write_bytes(b"\xff\x00 not json")
    arguments, expected = BAD[name]
    places = {"tmp": str(tmp_path), "file": str(file)}
    assert _call(monkeypatch, *(part.format(**places) for part in arguments)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.json"]
    message = capsys.readouterr().err.strip()
    assert len(message.splitlines()) == 1, message
    assert expected.format(**places) in message


def test_doctor_names_every_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call(monkeypatch, "doctor", "--json") == 0
    found = {finding["what"]: finding for finding in json.loads(capsys.readouterr().out)}
    assert {"python", "data", "gpu", "vllm", "training", "browser"} <= set(found)
    assert all(finding["remedy"] for finding in found.values() if finding["state"] != "ok")


def test_doctor_prints_remedies_that_can_be_pasted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mirror_bench.cli.doctor._version", lambda *packages: "")
    monkeypatch.setenv("COLUMNS", "200")
    _call(monkeypatch, "doctor")
    said = capsys.readouterr().out
    assert "pip install 'mirror-bench[transformers]'" in said
    assert "'mirror-bench[vllm-" in said
    assert "'mirror-bench[vllm]'" in said


def test_protocol_is_shown_with_its_fingerprint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _call(monkeypatch, "protocol", "offline", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert len(shown["fingerprint"]) == 64
    assert "prompts/therapist_system.jinja" in shown["parts"]


def test_a_face_is_drawn_from_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "face.png"
    assert _call(monkeypatch, "faces", "draw", "Frowns, arms crossed", "--out", str(out), "--json") == 0
    read = json.loads(capsys.readouterr().out)["expression"]
    assert read["posture"]["arms_crossed"] > 0
    assert out.read_bytes().startswith(b"\x89PNG")
