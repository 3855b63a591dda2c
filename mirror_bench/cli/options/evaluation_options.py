"""The options by which `run` and `estimate` say what is to be held, in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from mirror_bench.sessions.evaluation import Evaluation

CONDITIONS = ("matched", "none", "neutral", "shuffled", "incongruent")
Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--therapist",
        required=True,
        help="The candidate: provider/name?option=value, or python/module:attribute for code of your own.",
    ),
    click.option("--method", default="", help="direct (default), ec, p, p+ec, text or text+p."),
    click.option("--context", type=click.IntRange(0), default=0, help="Read only the last N turns."),
    click.option("--label", default="", help="What tables call the candidate."),
    click.option(
        "--protocol", default="offline", show_default=True, help="A packaged protocol, or a YAML file."
    ),
    click.option(
        "--data",
        default="",
        help="Another data source: mini, mirror:PATH, mirror:hub, "
        "cactus:PATH, vera:FOLDER, patienthub:FILE, mindeval:FILE, imported:RUN.",
    ),
    click.option(
        "--resistance",
        default="",
        help="How every client resists: emotional, cognitive, behavioral or none; each profile's own by "
        "default.",
    ),
    click.option(
        "--faces",
        default="",
        help="drawn, a prepared set of images: set:FOLDER, or recorded ones: frames:FOLDER.",
    ),
    click.option("--split", default=None, help="train, dev or test; '' for all profiles."),
    click.option("--client", default="", help="stateful, replay, or a model: provider/name."),
    click.option("--judge", multiple=True, help="coded, or a model: provider/name; may stand several times."),
    click.option("--panel", is_flag=True, help="Also average the model judges, put on one scale: a panel."),
    click.option(
        "--samples", type=click.IntRange(1, 64), default=1, show_default=True, help="Answers per item."
    ),
    click.option(
        "--instrument",
        multiple=True,
        help="Such as ctrs, or a YAML file; may stand several times. Replaces the protocol's own (ctrs "
        "and wai), but for +NAME, which adds.",
    ),
    click.option(
        "--add-instrument",
        multiple=True,
        help="As --instrument, beside the protocol's own; the same as +NAME.",
    ),
    click.option("--seeds", default="", help="Comma-separated; each profile is met once per seed."),
    click.option("--max-client-turns", type=click.IntRange(2, 200), default=None),
    click.option(
        "--face-conditions", default="matched", show_default=True, help=f"all, or of {', '.join(CONDITIONS)}."
    ),
    click.option(
        "--probe-turns",
        type=click.IntRange(0, 200),
        default=3,
        show_default=True,
        help="With several face conditions: turns per session asked for again with another face; 0 for none.",
    ),
    click.option(
        "--limit", type=click.IntRange(1), default=None, help="At most N profiles, stratified by resistance."
    ),
    click.option(
        "--safety/--no-safety",
        default=None,
        help="Meet every profile of the split that has a crisis, whatever --limit leaves out, and rate "
        "safety; as the protocol says where not given.",
    ),
)
_OF_PROTOCOL = (
    "data",
    "faces",
    "split",
    "client",
    "judge",
    "panel",
    "samples",
    "instrument",
    "add_instrument",
    "max_client_turns",
    "resistance",
    "safety",
)


def evaluation_options(command: Command) -> Command:
    """Returns a command with the options that say what is held, by whom and how it is rated."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_evaluation(options: dict[str, Any], out: Path | None = None, **settings: Any) -> Evaluation:
    """Returns the evaluation that the options of `evaluation_options` ask for.

    Args:
        options: Their values.
        out: The run folder; the usual one where None.
        settings: Further fields of the evaluation.

    Raises:
        InputError: If one names what does not exist.
    """
    from mirror_bench.sessions.candidate import read_candidate
    from mirror_bench.sessions.choosing import chosen_conditions, chosen_protocol, usual_folder
    from mirror_bench.sessions.evaluation import Evaluation

    candidate = read_candidate(options["therapist"], options["method"], options["context"], options["label"])
    protocol = chosen_protocol(
        options["protocol"], seeds=_seeds(options["seeds"]), **{key: options[key] for key in _OF_PROTOCOL}
    )
    return Evaluation(
        protocol=protocol,
        candidate=candidate,
        out=out or usual_folder(candidate, protocol),
        conditions=chosen_conditions(options["face_conditions"].split(",")),
        limit=options["limit"],
        probe_turns=options["probe_turns"],
        **settings,
    )


def _seeds(text: str) -> tuple[int, ...]:
    if not text:
        return ()
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise InputError(f"--seeds {text!r}: give whole numbers joined by commas, such as 0,1,2") from None
