"""Holds the shape of the package: imports point one way, and the core stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "mirror_bench"

# A package may import from those on earlier rows, and on its own row only itself. Raters stand before clients
# because the stateful client hears through the same behaviour codes.
LAYERS = (
    (
        *("errors", "keys", "digests", "files", "schema", "registry", "modelspec", "content", "prompts"),
        *("parts", "pictures"),
    ),
    ("data", "faces", "engines", "stats"),
    ("coding",),
    ("protocol",),
    ("raters",),
    ("clients", "therapists"),
    ("sessions",),
    ("reports", "static"),
    ("validity", "adapters", "submissions"),
    ("api",),
    ("cli",),
)
LEVEL = {name: level for level, row in enumerate(LAYERS) for name in row}
SIDEWAYS = {("data", "faces")}  # exports draw the faces of stage directions


def _imports(path: Path) -> set[str]:
    """The parts of the package that a file imports, and which of its names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mirror_bench"):
            parts = (node.module or "").split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.split(".")[1] for alias in node.names if alias.name.startswith("mirror_bench.")
            }
    return found - {"__version__"}


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_point_one_way(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    for other in _imports(path):
        if other == own or (own, other) in SIDEWAYS:
            continue
        if LEVEL[own] == 0:
            assert LEVEL[other] == 0, f"{path} imports {other}"
        else:
            assert LEVEL[other] < LEVEL[own], f"{path} imports {other}"


def test_stats_knows_nothing_of_the_rest() -> None:
    for path in (PACKAGE / "stats").glob("*.py"):
        assert _imports(path) <= {"stats", "errors"}, path


@pytest.mark.parametrize("module", ["mirror_bench", "mirror_bench.cli", "mirror_bench.sessions.evaluation"])
def test_the_core_imports_no_heavy_package(module: str) -> None:
    heavy = "torch vllm transformers datasets matplotlib openai pandas"
    code = f"import sys, {module}; print(*[name for name in '{heavy}'.split() if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
