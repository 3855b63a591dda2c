"""Holds the shape of the project: one-way imports, small rooms, a name for one thing, a light core."""

from __future__ import annotations

import ast
import functools
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "mirror_bench"
OUTSIDE = ("leaderboard", "baselines", "benchmarks")
MOST_LINES, MOST_MODULES = 400, 20

# A room may import from those on earlier rows; on its own row only the first row's modules see each other.
LAYERS = (
    (
        *(
            "errors",
            "keys",
            "digests",
            "files",
            "locks",
            "schema",
            "registry",
            "modelspec",
            "content",
            "prompts",
        ),
        *("parts", "pictures", "processors", "text", "waiting"),
    ),
    ("faces", "engines", "stats"),
    ("data",),
    ("coding",),
    ("protocol",),
    ("clients", "raters"),
    ("therapists",),
    ("sessions",),
    ("making",),
    ("analysis",),
    ("figures",),
    ("pages",),
    ("lm_eval", "study", "submissions", "training"),
    ("validity", "adapters"),
    ("api",),
    ("cli",),
)
LEVEL = {name: level for level, row in enumerate(LAYERS) for name in row}
CODE = sorted(path for folder in ("mirror_bench", *OUTSIDE) for path in (ROOT / folder).rglob("*.py"))


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def _imports(path: Path) -> set[str]:
    """Every module that a file imports, with all its dots."""
    found = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def _rooms(path: Path) -> set[str]:
    """The rooms of the package that a file imports from."""
    parts = (name.split(".") for name in _imports(path) if name.startswith("mirror_bench."))
    return {part[1] for part in parts} & set(LEVEL)


def test_imports_point_one_way() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if own == "__init__":
            continue
        for other in _rooms(path) - {own}:
            allowed = LEVEL[other] == 0 if LEVEL[own] == 0 else LEVEL[other] < LEVEL[own]
            wrong += [] if allowed else [f"{_named(path)} imports {other}"]
    assert wrong == []


def test_what_stands_outside_is_imported_by_nobody_inside_and_uses_no_private_name() -> None:
    wrong = []
    for path in CODE:
        own = path.relative_to(ROOT).parts[0]
        for name in _imports(path):
            first, *rest = name.split(".")
            inward = first in OUTSIDE and first != own and own in {"mirror_bench", "baselines"}
            private = own in OUTSIDE and first == "mirror_bench" and any(part[0] == "_" for part in rest)
            if inward or (private and rest != ["__version__"]):
                wrong.append(f"{_named(path)} imports {name}")
    assert wrong == []


def test_stats_knows_nothing_of_the_rest() -> None:
    for path in (PACKAGE / "stats").glob("*.py"):
        assert _rooms(path) <= {"stats", "errors"}, path


def test_every_room_has_its_row() -> None:
    rooms = {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"__init__"} == set(LEVEL)


def test_no_file_is_long() -> None:
    lines = {
        path: path.read_text(encoding="utf-8").count("\n")
        for path in (*CODE, *(ROOT / "tests").rglob("*.py"))
    }
    assert {_named(path): many for path, many in lines.items() if many > MOST_LINES} == {}


def test_no_folder_is_crowded() -> None:
    held: defaultdict[Path, int] = defaultdict(int)
    for path in CODE:
        held[path.parent] += path.stem != "__init__"
    assert {_named(folder): many for folder, many in held.items() if many > MOST_MODULES} == {}


def test_a_public_class_has_a_name_of_its_own() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in CODE:
        for node in _tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(_named(path))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


@pytest.mark.parametrize("module", ["mirror_bench", "mirror_bench.cli", "mirror_bench.sessions.evaluation"])
def test_the_core_imports_no_heavy_package(module: str) -> None:
    heavy = "torch vllm transformers datasets matplotlib openai pandas inspect_ai starlette"
    code = f"import sys, {module}; print(*[name for name in '{heavy}'.split() if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
