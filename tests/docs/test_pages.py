"""The documentation: every command block runs, and the site has no dead link and asks for nothing outside."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from short_runs import undrawn
from talking_server import TalkingServer, serving

from mirror_bench.cli import COMMANDS, cli

ROOT = Path(__file__).resolve().parents[2]
SERVER = "http://127.0.0.1:8000/v1"
QUICK = ("README.md", "docs/index.md", "docs/reliability.md", "docs/protocols.md", "docs/handing-in.md")
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
)


def _blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def _commands(page: str) -> Iterator[tuple[list[str], int]]:
    """Each command, and the exit code that a comment behind it names."""
    for block in _blocks(page, "bash"):
        for line in block.splitlines():
            if words := shlex.split(line, comments=True):
                code = re.search(r"# exits with (\d)", line)
                yield words, int(code[1]) if code else 0


@pytest.fixture(scope="module")
def server() -> Iterator[TalkingServer]:
    with serving(lambda body, number: "You look away as you say it. What is hard about that?") as server:
        yield server


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[] if page in QUICK else pytest.mark.campaign)
        for page in PAGES
        if any(words[0] == "mirror-bench" for words, _ in _commands(page))
    ],
)
def test_every_command_block_runs(
    page: str, server: TalkingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    address = server.url
    for content in (*_blocks(page, "python"), *_blocks(page, "yaml")):
        if named := re.match(r"# (\w+\.\w+)\n", content):
            (tmp_path / named[1]).write_text(content, encoding="utf-8")
    for words, code in _commands(page):
        if words[:2] == ["pip", "install"]:
            continue  # `make release-check` and the wheel's test install
        assert words[0] == "mirror-bench", f"{page}: a block of commands holds {words[0]!r}"
        with undrawn():
            done = CliRunner().invoke(
                cli, [word.replace(SERVER, address) for word in words[1:]], standalone_mode=False
            )
        said = f"{page}: {shlex.join(words)}\n{done.output}\n{done.exception}"
        assert done.exception is None, said
        assert (done.return_value if isinstance(done.return_value, int) else 0) == code, said


@pytest.mark.parametrize("page", PAGES)
def test_every_command_named_on_a_page_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`mirror-bench ([a-z][a-z-]+)", text))
    assert named <= set(COMMANDS), page


def test_the_readme_fits_a_reader_and_has_no_dead_link() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text) < 5_000
    links = re.findall(r"\]\((?!http)([^)#]+)", text)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.fixture(scope="module")
def site(shared: Any) -> Path:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed")

    def build(folder: Path) -> None:
        command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder / "site")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    return Path(shared.folder("docs-site", build)) / "site"


def test_the_site_is_whole_and_asks_nothing_of_the_network(site: Path) -> None:
    pages = {path.name for path in site.glob("*.html")}
    assert {"index.html", "commands.html", "api.html", "VALIDITY.html"} <= pages
    commands = (site / "commands.html").read_text(encoding="utf-8")
    assert all(f'id="mirror-bench-{name}"' in commands or f">{name}<" in commands for name in COMMANDS)
    loads = re.compile(r"<(?:script|img|link|iframe)\b[^>]*?(?:src|href)=\"(https?://[^\"]+)")
    for path in site.glob("*.html"):
        assert loads.findall(path.read_text(encoding="utf-8")) == [], path.name
