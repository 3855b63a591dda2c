"""A digest of a therapist's source code: scores that another version of it earned are not its."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mirror_bench
from mirror_bench.parts import ask_stands_on
from mirror_bench.protocol import identity
from mirror_bench.therapists import SCRIPTED
from mirror_bench.therapists.cheats import cheating, stands_on

_DIGITS = 12


def digest_of_scripted(provider: str, name: str) -> str:
    """Returns the digest of a scripted or cheating therapist: of its code, and of what it says it stands on.

    Args:
        provider: "scripted" or "cheat".
        name: The therapist's.

    Raises:
        InputError: If it cannot be loaded.
    """
    therapist = cheating if provider == "cheat" else SCRIPTED.get(name)
    if provider == "cheat" or SCRIPTED.is_builtin(name):
        root, within = Path(mirror_bench.__path__[0]).parent, "mirror_bench.therapists"
        source = Path(inspect.getsourcefile(therapist) or "")
    else:
        module = inspect.getmodule(therapist)
        parts = (module.__name__ if module else name).split(".")
        source = Path((module and module.__file__) or "")
        root = source.parents[len(parts) - (source.name != "__init__.py")]
        within = parts[0]
    code = source_digest(source, root, within)
    if provider == "cheat":
        own = stands_on(name)
    elif hasattr(therapist, "stands_on"):
        own = ask_stands_on("scripted therapist", name, therapist)
    else:
        return code
    return hashlib.sha256(f"{code}{identity(own)}".encode()).hexdigest()[:_DIGITS]


def digest_of_object(kind: Any) -> str:
    """Returns the digest of a function's or class's code: of its module's file, else of its own text."""
    module = sys.modules.get(getattr(kind, "__module__", None) or "")
    file = getattr(module, "__file__", None)
    if file and Path(file).is_file():
        return source_digest(Path(file), Path(file).parent)
    try:
        text = inspect.getsource(kind).encode()
    except (OSError, TypeError):
        text = _compiled(kind)
    return hashlib.sha256(text).hexdigest()[:_DIGITS]


def _compiled(kind: Any) -> bytes:
    """The bytecode of a function or of a class's methods, where no text is to be had."""
    methods = vars(kind).values() if isinstance(kind, type) else [kind]
    codes = [method.__code__ for method in methods if inspect.isfunction(method)]
    return b"".join(code.co_code + repr((code.co_names, code.co_consts)).encode() for code in codes)


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
