"""A digest of a therapist's source code: scores that another version of it earned are not its."""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import mirror_bench
from mirror_bench.content import tasks_root
from mirror_bench.therapists import SCRIPTED

_DIGITS = 12


def digest_of_scripted(provider: str, name: str) -> str:
    """Returns the digest of a scripted or cheating therapist: of its code, and of packaged phrases.

    Args:
        provider: "scripted" or "cheat".
        name: The therapist's.

    Raises:
        InputError: If it cannot be loaded.
    """
    package = Path(mirror_bench.__path__[0])
    phrases: list[Path] = []
    if provider == "cheat":
        source = package / "therapists" / "cheating.py"
        root, within = package.parent, "mirror_bench.therapists"
        phrases = [tasks_root() / "gaming" / f"{name}.yaml"]
    elif SCRIPTED.is_builtin(name):
        source = Path(inspect.getsourcefile(SCRIPTED.get(name)) or "")
        root, within = package.parent, "mirror_bench.therapists"
        phrases = sorted((tasks_root() / "therapists").glob("*.yaml"))
    else:
        module = inspect.getmodule(SCRIPTED.get(name))
        parts = (module.__name__ if module else name).split(".")
        source = Path((module and module.__file__) or "")
        root = source.parents[len(parts) - (source.name != "__init__.py")]
        within = parts[0]
    content = "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in phrases)
    code = source_digest(source, root, within)
    return hashlib.sha256(f"{code}{content}".encode()).hexdigest()[:_DIGITS] if phrases else code


def source_digest(source: Path, root: Path, within: str = "") -> str:
    """Returns 12 hex digits over a module's source and that of every module of its own that it imports.

    Imports are read from the text, so that a module counts whether or not it was loaded yet.

    Args:
        source: The module's file.
        root: The folder that its imports are looked up in.
        within: Only modules of this package are followed; all that lie in `root` where empty.
    """
    found: dict[Path, bytes] = {}
    left = [source.resolve()]
    while left:
        path = left.pop()
        if path in found:
            continue
        try:
            found[path] = path.read_bytes()
            names = list(_imported(ast.parse(found[path]), _package_of(path, root.resolve())))
        except (OSError, ValueError, SyntaxError):
            continue  # what cannot be parsed cannot be imported either
        for name in names:
            if not within or name == within or name.startswith(f"{within}."):
                left.extend(_files(root.resolve(), name))
    hashed = hashlib.sha256()
    for path in sorted(found):
        content = found[path].replace(b"\r\n", b"\n")
        hashed.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return hashed.hexdigest()[:_DIGITS]


def _package_of(path: Path, root: Path) -> str:
    """The package that relative imports of a file start from."""
    return ".".join(path.parent.relative_to(root).parts) if path.is_relative_to(root) else ""


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if package else []
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module or "")))
            yield module
            yield from (f"{module}.{alias.name}" if module else alias.name for alias in node.names)


def _files(root: Path, name: str) -> Iterator[Path]:
    place = root.joinpath(*name.split(".")) if name else root
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.is_file():
            yield path.resolve()
