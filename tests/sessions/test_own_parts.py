"""Parts of other packages take part in protocols and fingerprints, with options of their own."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from mirror_bench import registry
from mirror_bench.cli import main
from mirror_bench.clients.base import ClientNeeds, ClientTurn
from mirror_bench.clients.replay import ReplayClient
from mirror_bench.engines.base import Engine
from mirror_bench.errors import InputError
from mirror_bench.faces.drawing.drawn_faces import DrawnFaces
from mirror_bench.parts import StandsOn
from mirror_bench.protocol import ClientSettings, Fingerprint, RaterSettings, TherapistSettings
from mirror_bench.raters.base import RaterNeeds
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.instruments import Instrument
from mirror_bench.schema import Ending, Profile, Rating, Scenario, Session
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.sessions.choosing import chosen_protocol
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import read_header
from mirror_bench.sessions.standing import checked_protocol, protocol_fingerprint
from mirror_bench.therapists.methods import DIRECT, Asking


class Warmth(BaseModel):
    """Options of `Mild`: `phrases` counts by its content, so its place stays out."""

    model_config = ConfigDict(extra="forbid")

    turns: int = Field(default=2, ge=1)
    phrases: Path = Field(exclude=True)


class Mild:
    """Says the lines of a file, in the order that they have there."""

    version = "1"
    Options = Warmth

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    @classmethod
    def stands_on(cls, settings: ClientSettings) -> StandsOn:
        phrases = Warmth.model_validate(settings.options).phrases
        return StandsOn(versions={"client.mild": cls.version}, files={"mild.phrases": phrases})

    @classmethod
    def cast(cls, scenario: Scenario, needs: ClientNeeds) -> Mild:
        assert isinstance(needs.options, Warmth)
        return cls(needs.options.phrases.read_text().splitlines()[: needs.options.turns])

    async def open(self) -> ClientTurn:
        return self._next()

    async def reply(self, heard: str) -> ClientTurn:
        return self._next()

    def _next(self) -> ClientTurn:
        words = self._lines.pop(0)
        return ClientTurn(words, ends=None if self._lines else Ending.RESOLVED)


class Generous(CodedRater):
    """The coded rater, by another name and with an option."""

    class Options(BaseModel):
        """What it takes."""

        points: int = Field(default=0, le=2)

    def __init__(self, points: int) -> None:
        self.points = points

    @property
    def name(self) -> str:
        return f"generous-{self.points}"

    @classmethod
    def open(cls, settings: RaterSettings, needs: RaterNeeds) -> Generous:
        assert isinstance(needs.options, cls.Options)
        return cls(needs.options.points)

    async def rate(self, session: Session, profile: Profile, instrument: Instrument) -> Rating:
        return (await super().rate(session, profile, instrument)).model_copy(update={"rater": self.name})


class Gallery(DrawnFaces):
    """Drawn faces, of a folder and with an option."""

    takes_argument = True

    class Options(BaseModel):
        """What it takes."""

        frame: str = "none"

    def __init__(self, folder: str = "", options: Options | None = None) -> None:
        self.folder = Path(folder)

    def stands_on(self) -> StandsOn:
        return super().stands_on() | StandsOn(files={"gallery": self.folder})


class Silent:
    """Declares nothing."""

    version = "1"


class OwnMethod:
    """A method of another package."""

    version = "1"
    sees = True

    def stands_on(self, settings: TherapistSettings) -> StandsOn:
        return StandsOn.of("method.own", self.version)

    def therapist(self, scenario: Scenario, engine: Engine, asking: Asking) -> Any:
        return DIRECT.therapist(scenario, engine, asking)


class _Point:
    group = value = "of the test"

    def __init__(self, name: str, part: Any) -> None:
        self.name = name
        self._part = part

    def load(self) -> Any:
        return self._part


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, Mapping[str, Any]]], None]:
    """Makes parts known as an installed package's entry points would."""

    def add(parts: Mapping[str, Mapping[str, Any]]) -> None:
        def points(group: str) -> list[_Point]:
            return [_Point(*one) for one in parts.get(group.removeprefix("mirror_bench."), {}).items()]

        monkeypatch.setattr(registry, "entry_points", points)

    return add


@pytest.fixture
def phrases(tmp_path: Path) -> Path:
    path = tmp_path / "phrases.txt"
    path.write_text("I'm fine, really.\nMaybe not so fine.\nI lost my job.\n")
    return path


@pytest.fixture
def written(tmp_path: Path, phrases: Path, install: Any) -> Callable[..., Path]:
    """Writes a protocol that names parts of another package, which is installed."""
    install(
        {
            "clients": {"mild": Mild, "silent": Silent},
            "raters": {"generous": Generous, "silent": Silent},
            "face_sources": {"gallery": Gallery, "silent": Silent},
            "methods": {"own": OwnMethod(), "silent": Silent()},
        }
    )
    (tmp_path / "gallery").mkdir(exist_ok=True)
    (tmp_path / "gallery" / "one.txt").write_text("a face")

    def write(**changed: Any) -> Path:
        values: dict[str, Any] = {
            "client": {"kind": "mild", "options": {"phrases": str(phrases)}},
            "raters": [{"kind": "generous", "options": {"points": 1}}],
            "faces": f"gallery:{tmp_path / 'gallery'}",
            "split": "test",
            "safety": False,
        }
        path = tmp_path / "mine.yaml"
        path.write_text(json.dumps(values | changed))  # JSON is YAML
        return path

    return write


def _call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["mirror-bench", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return int(stopped.value.code or 0)


def _print(path: Path) -> Fingerprint:
    return protocol_fingerprint(checked_protocol(str(path)))


def test_sessions_are_held_with_parts_of_another_package(
    written: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    given = ["--protocol", str(written()), "--limit", "2", "--out", str(out), "--json"]
    assert _call(monkeypatch, "run", "--therapist", "scripted/reflective", *given) == 0
    sessions = list(read_sessions(out))
    assert [len(session.turns) for session in sessions] == [3, 3]
    assert {turn.words for session in sessions for turn in session.turns[::2]} == {
        "I'm fine, really.",
        "Maybe not so fine.",
    }
    assert json.loads(capsys.readouterr().out)["entries"][0]["scores"]
    parts = read_header(out).parts
    assert {"files.mild.phrases", "files.gallery", "code.client.mild"} <= parts.keys()
    assert parts["parameters.raters.0.options.points"] == 1
    assert parts["parameters.client.options.turns"] == 2


def test_another_client_takes_none_of_the_options(written: Callable[..., Path]) -> None:
    own = chosen_protocol(str(written()), client="mild")
    assert own.client.options
    assert not chosen_protocol(str(written()), client="replay").client.options


def test_options_count_as_the_part_reads_them(written: Callable[..., Path], phrases: Path) -> None:
    before = _print(written())
    spelt = {"kind": "mild", "options": {"phrases": str(phrases), "turns": 2}}
    assert _print(written(client=spelt)).value == before.value
    spelt["options"]["turns"] = 3  # type: ignore[index]
    assert _print(written(client=spelt)).differences(before.parts) == [
        "parameters.client.options.turns (2 -> 3)"
    ]
    framed = {"kind": "gallery", "argument": str(phrases.parent / "gallery"), "options": {"frame": "gold"}}
    assert _print(written(faces=framed)).differences(before.parts) == [
        "parameters.faces.options.frame (none -> gold)"
    ]


def test_own_files_count_by_their_content(written: Callable[..., Path], phrases: Path) -> None:
    before = _print(written())
    moved = phrases.rename(phrases.with_name("elsewhere.txt"))
    elsewhere = {"kind": "mild", "options": {"phrases": str(moved)}}
    assert _print(written(client=elsewhere)).value == before.value
    moved.write_text("Another.\n" * 3)
    assert _print(written(client=elsewhere)).differences(before.parts) == ["files.mild.phrases (changed)"]
    (phrases.parent / "gallery" / "two.txt").write_text("another face")
    assert _print(written(client=elsewhere)).differences(before.parts) == [
        "files.gallery (changed)",
        "files.mild.phrases (changed)",
    ]
    moved.unlink()
    with pytest.raises(InputError, match=r"elsewhere\.txt: is not there"):
        _print(written(client=elsewhere))


def _mild(**options: Any) -> dict[str, Any]:
    return {"kind": "mild", "options": {"phrases": "x", **options}}


def _generous(points: int) -> dict[str, Any]:
    return {"kind": "generous", "options": {"points": points}}


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"client": _mild(turn=2)}, r"client\.options\.turn: no option has that name"),
        ({"client": _mild(turns=0)}, r"client\.options\.turns: Input should be greater"),
        ({"client": {"kind": "mild"}}, r"client\.options\.phrases: Field required"),
        ({"client": {"kind": "replay", "options": {"a": 2}}}, r"client\.options\.a: .*takes no options"),
        ({"raters": [{}, _generous(3)]}, r"raters\.1\.options\.points: Input should be less"),
        ({"faces": {"kind": "drawn", "options": {"a": 2}}}, r"faces\.options\.a: .*takes no options"),
        ({"faces": {"kind": "gallery", "options": {"a": 2}}}, r"faces\.options\.a: .*known are frame"),
    ],
)
def test_a_wrong_option_is_named_with_its_file_and_key(
    written: Callable[..., Path], changed: Mapping[str, Any], named: str
) -> None:
    path = written(**changed)
    with pytest.raises(InputError, match=rf"mine\.yaml: {named}"):
        checked_protocol(str(path))


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"client": {"kind": "silent"}}, "client"),
        ({"raters": [{"kind": "silent"}]}, "rater"),
        ({"faces": "silent"}, "face source"),
    ],
)
def test_a_part_without_a_declaration_is_told_what_to_add(
    written: Callable[..., Path],
    changed: Mapping[str, Any],
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "run"
    given = ["--protocol", str(written(**changed)), "--limit", "1", "--out", str(out)]
    assert _call(monkeypatch, "run", "--therapist", "scripted/parrot", *given) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert f"the {kind} 'silent' does not say what it stands on" in line
    assert "Silent a method stands_on" in line
    assert "StandsOn(versions=" in line
    assert not out.exists()


class Instance(Silent):
    """Is asked of its class, and declares as an object would."""

    def stands_on(self, settings: Any) -> StandsOn:
        return StandsOn()


class Raises(Silent):
    """Cannot be asked."""

    @classmethod
    def stands_on(cls, *_: Any) -> StandsOn:
        raise FileNotFoundError("no phrases")


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Instance, r"make .*Instance.stands_on\(settings\) a class method"),
        (Raises, r"'broken' cannot say what it stands on: FileNotFoundError: no phrases"),
    ],
)
def test_a_part_that_cannot_declare_is_one_line(
    written: Callable[..., Path], install: Any, kind: type, told: str
) -> None:
    path = written(client={"kind": "broken"}, raters=[{"kind": "coded"}], faces="drawn")
    install({"clients": {"broken": kind}})
    with pytest.raises(InputError, match=told):
        protocol_fingerprint(checked_protocol(str(path)))


def test_what_stands_behind_a_colon_is_refused_where_it_means_nothing(written: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="'drawn' takes nothing behind a colon"):
        checked_protocol(str(written(faces="drawn:faces")))


def test_a_method_of_another_package_is_part_of_the_candidate(
    written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = checked_protocol(str(written()))
    candidate = read_candidate("scripted/echo", "own")
    first = candidate.recorded(protocol.therapist).method_code
    fingerprint = protocol_fingerprint(protocol).value
    monkeypatch.setattr(OwnMethod, "version", "2")
    assert candidate.recorded(protocol.therapist).method_code != first
    assert protocol_fingerprint(protocol).value == fingerprint
    with pytest.raises(InputError, match="the method 'silent' does not say what it stands on"):
        read_candidate("scripted/echo", "silent").recorded(protocol.therapist)


def test_a_therapist_of_another_package_counts_by_its_code(install: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("class Mine:\n    sees = False\n")
    spec = importlib.util.spec_from_file_location("mine_under_test", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["mine_under_test"] = module
    try:
        install({"scripted_therapists": {"mine": module.Mine}})
        first = read_candidate("scripted/mine").recorded().code
        path.write_text(path.read_text() + "    words = 'more'\n")
        assert read_candidate("scripted/mine").recorded().code != first
    finally:
        del sys.modules["mine_under_test"]


def test_two_pieces_of_code_of_one_name_are_refused() -> None:
    with pytest.raises(InputError, match=r"both named 'client\.mild' \(1 and 2\)"):
        StandsOn.of("client.mild", "1") | StandsOn.of("client.mild", "2")
    both = StandsOn.of("a", "1") | StandsOn.of("a", "1")
    assert both == StandsOn.of("a", "1")


def test_the_replaying_client_needs_no_options() -> None:
    assert ReplayClient.stands_on(ClientSettings(kind="replay")).models == ()
