"""`mirror-bench run`: hold sessions with a therapist, rate them and report."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror_bench.protocol import Protocol
    from mirror_bench.schema import FaceCondition
    from mirror_bench.sessions.evaluation import Evaluation

CONDITIONS = ("matched", "none", "neutral", "shuffled", "incongruent")


@click.command()
@click.option(
    "--therapist",
    required=True,
    help="The candidate: provider/name?option=value, or python/module:attribute for code of your own.",
)
@click.option("--method", default="", help="direct (default), ec, p, p+ec or text.")
@click.option("--context", type=click.IntRange(0), default=0, help="Read only the last N turns.")
@click.option("--label", default="", help="What tables call the candidate.")
@click.option("--protocol", default="offline", show_default=True, help="A packaged protocol, or a YAML file.")
@click.option("--data", default="", help="Another data source: mini, mirror:PATH, mirror:hub, cactus:PATH.")
@click.option("--split", default=None, help="train, dev or test; '' for all profiles.")
@click.option("--client", default="", help="stateful, replay, or a model: provider/name.")
@click.option("--judge", multiple=True, help="coded, or a model: provider/name; may stand several times.")
@click.option("--panel", is_flag=True, help="Also average the model judges, put on one scale: a panel.")
@click.option("--samples", type=click.IntRange(1, 64), default=1, show_default=True, help="Answers per item.")
@click.option(
    "--instrument",
    multiple=True,
    help="Such as ctrs, or a YAML file; may stand several times. Replaces the protocol's own (ctrs and wai), "
    "but for +NAME, which adds.",
)
@click.option(
    "--add-instrument", multiple=True, help="As --instrument, beside the protocol's own; the same as +NAME."
)
@click.option("--seeds", default="", help="Comma-separated; each profile is met once per seed.")
@click.option("--max-client-turns", type=click.IntRange(1, 200), default=None)
@click.option(
    "--face-conditions", default="matched", show_default=True, help=f"all, or of {', '.join(CONDITIONS)}."
)
@click.option(
    "--probe-turns",
    type=click.IntRange(0, 200),
    default=3,
    show_default=True,
    help="With several face conditions: turns per session asked for again with another face; 0 for none.",
)
@click.option(
    "--limit", type=click.IntRange(1), default=None, help="At most N profiles, stratified by resistance."
)
@click.option(
    "--safety/--no-safety",
    default=None,
    help="Meet every profile of the split that has a crisis, whatever --limit leaves out, and rate safety; "
    "as the protocol says where not given.",
)
@click.option("--concurrency", type=click.IntRange(1, 4096), default=32, show_default=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), default=None, help="The run folder.")
@click.option(
    "--retry-failed",
    is_flag=True,
    help="Hold sessions again that were recorded as failed, and ask judges anew whose answers were unusable.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(out: Path | None, as_json: bool, **options: Any) -> None:
    """Hold sessions with a therapist, rate them and report; the same command goes on where a run stopped."""
    from mirror_bench.cli.outcome import finish
    from mirror_bench.sessions.candidate import read_candidate
    from mirror_bench.sessions.evaluation import Evaluation

    chosen = read_candidate(options["therapist"], options["method"], options["context"], options["label"])
    protocol = chosen_protocol(**{key: options[key] for key in PROTOCOL_OPTIONS})
    evaluation = Evaluation(
        protocol=protocol,
        candidate=chosen,
        out=out or Path("runs") / _slug(f"{chosen.name} {chosen.method} {protocol.name}"),
        conditions=read_conditions(options["face_conditions"]),
        limit=options["limit"],
        concurrency=options["concurrency"],
        quiet=options["quiet"] or as_json,
        retry_failed=options["retry_failed"],
        probe_turns=options["probe_turns"],
    )
    run_until_done(evaluation)
    finish([evaluation.out], evaluation.out, as_json=as_json)


PROTOCOL_OPTIONS = (
    "protocol",
    "data",
    "split",
    "client",
    "judge",
    "panel",
    "samples",
    "instrument",
    "add_instrument",
    "seeds",
    "max_client_turns",
    "safety",
)


def chosen_protocol(
    protocol: str,
    data: str = "",
    split: str | None = None,
    client: str = "",
    judge: tuple[str, ...] = (),
    panel: bool = False,
    samples: int = 1,
    instrument: tuple[str, ...] = (),
    add_instrument: tuple[str, ...] = (),
    seeds: str = "",
    max_client_turns: int | None = None,
    safety: bool | None = None,
) -> Protocol:
    """Returns the protocol of a command line: a named one, with what the options change.

    Raises:
        InputError: If an option names what does not exist.
    """
    from mirror_bench.cli.judges import judge_settings
    from mirror_bench.clients import CLIENTS
    from mirror_bench.modelspec import parse_model
    from mirror_bench.raters.instruments import load_instrument
    from mirror_bench.sessions.standing import checked_protocol

    base = checked_protocol(protocol)
    changes: dict[str, Any] = {}
    if data:
        changes |= {"data": data} | ({"split": ""} if data != "mini" else {})
    if split is not None:
        changes["split"] = split
    if client:
        model = "" if client in CLIENTS else str(parse_model(client, "--client"))
        kind = {"kind": "llm" if model else client, "model": model}
        changes["client"] = base.client.model_copy(update=kind)
    if judge or panel:
        changes["raters"] = judge_settings(judge, samples, panel=panel)
    if instrument or add_instrument:
        changes["instruments"] = chosen_instruments(instrument, add_instrument, base.instruments)
        for name in changes["instruments"]:
            load_instrument(name)
    if seeds:
        changes["seeds"] = _seeds(seeds)
    if max_client_turns is not None:
        changes["max_client_turns"] = max_client_turns
    if safety is not None:
        changes["safety"] = safety
    return base.model_copy(update=changes)


def chosen_instruments(given: Sequence[str], added: Sequence[str], own: Sequence[str]) -> tuple[str, ...]:
    """Returns the instruments of a command line, each a name or a file; of one name, the last.

    Args:
        given: Take the place of `own`, but for those that begin with a plus sign, which come beside them.
        added: Come beside them.
        own: The protocol's.
    """
    from mirror_bench.protocol import form_name

    replacing = [name for name in given if not name.startswith("+")]
    beside = [name[1:] for name in given if name.startswith("+")]
    return tuple({form_name(one): one for one in (*(replacing or own), *beside, *added)}.values())


def run_until_done(evaluation: Evaluation) -> None:
    """Evaluates; a Ctrl-C or a request to end says how to go on.

    Raises:
        InputError: If anything given cannot be used.
    """
    from mirror_bench.sessions.evaluation import evaluate

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        outcome = asyncio.run(evaluate(evaluation))
    except KeyboardInterrupt:
        click.echo(
            f"stopped; every finished turn is kept in {evaluation.out}: the same command goes on", err=True
        )
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    if not evaluation.quiet and outcome.failed:
        click.echo(
            f"{outcome.failed} of {outcome.due} sessions failed and are counted against coverage; "
            "--retry-failed holds them again",
            err=True,
        )


def read_conditions(text: str) -> tuple[FaceCondition, ...]:
    """Returns the face conditions of `--face-conditions`: "all", or names joined by commas.

    Raises:
        InputError: If one does not exist.
    """
    from mirror_bench.schema import FaceCondition

    wanted = list(CONDITIONS) if text.strip() == "all" else [part.strip() for part in text.split(",")]
    for name in wanted:
        if name not in CONDITIONS:
            raise InputError(
                f"--face-conditions: no condition {name!r}: known are all, {', '.join(CONDITIONS)}"
            )
    return tuple(FaceCondition(name) for name in dict.fromkeys(wanted))


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise InputError(f"--seeds {text!r}: give whole numbers joined by commas, such as 0,1,2") from None


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.+]+", "-", text.lower()).strip("-.")[:80]
