"""Finds `tasks/`, the content that is measured: in a checkout, or inside the installed wheel."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import yaml

from mirror_bench.errors import InputError, did_you_mean

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where libyaml is there


class _Loader(_BASE):  # type: ignore[misc]
    """A safe loader that refuses a key that stands twice, of which YAML would drop one without a word."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Returns the mapping of a node."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                name = f"{key.tag} {key.value}"
                if name in seen:
                    raise yaml.constructor.ConstructorError(
                        None,
                        None,
                        f"the key {key.value!r} stands twice: remove one of the two",
                        key.start_mark,
                    )
                seen.add(name)
        return super().construct_mapping(node, deep)


@functools.cache
def tasks_root() -> Path:
    """Returns the folder of the packaged content, or the one that MIRROR_BENCH_TASKS names.

    Raises:
        InputError: If there is none.
    """
    if other := os.environ.get("MIRROR_BENCH_TASKS"):
        if not (Path(other) / "protocols").is_dir():
            raise InputError(f"MIRROR_BENCH_TASKS={other}: holds no protocols/; name a folder like tasks/")
        return Path(other).resolve()
    here = Path(__file__).resolve().parent
    for candidate in (here / "_tasks", here.parent / "tasks"):
        if (candidate / "protocols").is_dir():
            return candidate
    raise InputError(f"the content folder tasks/ was not found beside {here}: reinstall mirror-bench")


def content_path(*parts: str) -> Path:
    """Returns the path of one piece of content, such as `content_path("prompts", "direct.jinja")`.

    Raises:
        InputError: If there is no such file, naming those that exist.
    """
    path = tasks_root().joinpath(*parts)
    if not path.exists():
        known = sorted(p.stem for p in path.parent.glob(f"*{path.suffix}")) if path.parent.is_dir() else []
        hint = did_you_mean(path.stem, known)
        raise InputError(
            f"no {'/'.join(parts)} in {tasks_root()}: {hint}known are {', '.join(known) or 'none'}"
        )
    return path


def read_text(*parts: str) -> str:
    """Returns one piece of content as text."""
    return content_path(*parts).read_text(encoding="utf-8")


def read_yaml(path: Path) -> dict[str, Any]:
    """Returns a YAML file's mapping.

    Raises:
        InputError: If the file is not YAML or not a mapping, naming the line.
    """
    try:
        value = yaml.load(path.read_text(encoding="utf-8-sig"), _Loader)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text: save it as UTF-8") from None
    except yaml.constructor.ConstructorError as error:
        raise InputError(f"{path}{_line(error)}: {error.problem}") from None
    except yaml.YAMLError as error:
        why = getattr(error, "problem", None) or " ".join(str(error).split())
        raise InputError(f"{path}{_line(error)}: is not YAML: {why}") from None
    except (ValueError, RecursionError) as error:  # such as a date that does not exist
        raise InputError(f"{path}: cannot be read as YAML: {error or 'it nests too deeply'}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: must hold a mapping of names to values")
    return value


def yaml_nodes(path: Path) -> Any:
    """Returns the nodes of a YAML file that `read_yaml` has read; None where it is empty."""
    return yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=_BASE)  # the other reader refuses tabs


def _line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""


def names(folder: str, suffix: str) -> list[str]:
    """Returns the names of all content in one folder, such as `names("protocols", ".yaml")`."""
    return sorted(path.stem for path in (tasks_root() / folder).glob(f"*{suffix}"))
