"""Registries: a name gives a class or function, loaded on first use; packages can add theirs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from mirror_bench.errors import InputError, did_you_mean, told


class Registry:
    """Names of one kind of thing, each standing for "module:attribute".

    Args:
        kind: What is registered, in the singular ("engine"); the entry-point group is
            "mirror_bench.<kind>s".
        builtin: Name -> "module:attribute" of what the package itself brings.
    """

    def __init__(self, kind: str, builtin: Mapping[str, str]) -> None:
        self.kind = kind
        self._builtin = dict(builtin)

    def names(self) -> list[str]:
        """Returns every name, those of other packages included."""
        return sorted({*self._builtin, *(point.name for point in self._points())})

    def packaged(self) -> list[str]:
        """Returns the names of what the package itself brings."""
        return sorted(self._builtin)

    def get(self, name: str) -> Any:
        """Returns what `name` stands for.

        Raises:
            InputError: If nothing has that name, naming the nearest ones.
        """
        if name in self._builtin:
            module, _, attribute = self._builtin[name].partition(":")
            return getattr(importlib.import_module(module), attribute)
        for point in self._points():
            if point.name == name:
                return self._load(point)
        hint = did_you_mean(name, self.names())
        raise InputError(f"no {self._title} is named {name!r}: {hint}known are {', '.join(self.names())}")

    def is_builtin(self, name: str) -> bool:
        """Returns whether the package itself brings `name`, rather than another one."""
        return name in self._builtin

    def _load(self, point: Any) -> Any:
        try:
            return point.load()
        except (Exception, SystemExit) as error:
            raise InputError(
                f"the {self._title} {point.name!r} cannot be loaded from {point.value}: {told(error)}: "
                f'correct that package, or its entry point in the group "{point.group}"'
            ) from None

    @property
    def _title(self) -> str:
        return self.kind.replace("_", " ")

    def __contains__(self, name: str) -> bool:
        return name in self._builtin or any(point.name == name for point in self._points())

    def _points(self) -> Any:
        return entry_points(group=f"mirror_bench.{self.kind}s")
