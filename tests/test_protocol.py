from collections.abc import Iterator
from pathlib import Path

import pytest
from content_copy import content_copy

from mirror_bench.errors import InputError
from mirror_bench.protocol import Fingerprint, load_protocol, protocol_names
from mirror_bench.sessions.standing import protocol_fingerprint


@pytest.fixture
def tasks(tmp_path: Path) -> Iterator[Path]:
    """A copy of the content that a test may change."""
    with content_copy(tmp_path) as copy:
        yield copy


def _fingerprint(name: str = "offline") -> Fingerprint:
    return protocol_fingerprint(load_protocol(name))


def test_packaged_protocols_load() -> None:
    assert {"offline", "paper"} <= set(protocol_names())
    for name in protocol_names():
        assert load_protocol(name).name == name


def test_paper_has_the_released_codes_parameters() -> None:
    paper = load_protocol("paper")
    assert paper.max_client_turns == 20
    assert (paper.therapist.layout, paper.therapist.context_messages) == ("flat", 16)
    assert paper.therapist.sampling.temperature == 0
    client = paper.client.sampling
    assert (client.temperature, client.top_p, client.max_tokens) == (0.7, 0.9, 128)
    assert (client.frequency_penalty, client.presence_penalty) == (0.2, 0.2)


def test_one_character_of_a_prompt_changes_the_fingerprint(tasks: Path) -> None:
    before = _fingerprint()
    prompt = tasks / "prompts" / "therapist_system.jinja"
    prompt.write_text(prompt.read_text() + ".")
    after = _fingerprint()
    assert after.value != before.value
    assert after.differences(before.parts) == ["prompts/therapist_system.jinja (changed)"]


@pytest.mark.parametrize("name", ["ctrs", "wai"])
def test_an_instrument_changes_the_fingerprint_but_its_blanks_do_not(tasks: Path, name: str) -> None:
    before = _fingerprint().value
    instrument = tasks / "instruments" / f"{name}.yaml"
    text = instrument.read_text()
    instrument.write_text("# A remark.\n\n" + text + "\n\n")
    assert _fingerprint().value == before
    instrument.write_text(text.replace("client", "patient", 1))
    assert _fingerprint().value != before


def test_key_order_of_a_protocol_does_not_matter(tasks: Path) -> None:
    before = _fingerprint().value
    path = tasks / "protocols" / "offline.yaml"
    path.write_text(
        "instruments:   [ctrs,   wai]\nraters: [{sees: words, kind: coded}]\nseeds: [0, 1]\nsplit: test\n"
        "therapist: {sampling: {max_tokens: 256, temperature: 0}, context_messages: 0, layout: chat}\n"
        "client: {kind: stateful}\nmax_client_turns: 12\nfaces: drawn\ndata: mini\nversion: 1\n"
    )
    assert _fingerprint().value == before
    path.write_text(path.read_text().replace("max_client_turns: 12", "max_client_turns: 13"))
    after = _fingerprint()
    assert after.value != before


def test_data_changes_the_fingerprint(tasks: Path) -> None:
    before = _fingerprint()
    profiles = tasks / "mini" / "profiles.jsonl"
    lines = profiles.read_text().splitlines(keepends=True)
    profiles.write_text("".join(lines[:-1]))
    (tasks / "mini" / "screenplays" / "index.yaml").touch()
    assert "data (changed)" in _fingerprint().differences(before.parts)


def test_a_wrong_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("max_client_turn: 3\n")
    with pytest.raises(InputError, match=r"mine\.yaml: max_client_turn:"):
        load_protocol(str(path))
    path.write_text("client: {kind: stateful, sampling: {temperature: 9}}\n")
    with pytest.raises(InputError, match=r"client\.sampling\.temperature"):
        load_protocol(str(path))
    path.write_text("a: [1\n")
    with pytest.raises(InputError, match=r"mine\.yaml:"):
        load_protocol(str(path))


def test_an_unknown_protocol_names_the_known() -> None:
    with pytest.raises(InputError, match="offline, paper"):
        load_protocol("ofline")
