"""The option `--ray`: where the replicas of an engine are started."""

from __future__ import annotations

import os
from typing import Any, TypeVar

import click

F = TypeVar("F")


def ray_option(command: F) -> F:
    """Adds `--ray ADDRESS` to a command."""
    add: Any = click.option(
        "--ray",
        default="",
        metavar="ADDRESS",
        help="The Ray cluster for engines with the option replicas: auto, HOST:6379 or ray://HOST:10001; "
        "this machine where not given.",
    )
    decorated: F = add(command)
    return decorated


def set_ray_address(address: str) -> None:
    """Sets where engines look for Ray, as Ray's own commands do, in the environment."""
    if address:
        os.environ["RAY_ADDRESS"] = address
