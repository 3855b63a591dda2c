"""`mirror-bench run`: hold sessions with a therapist, rate them and report."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror_bench.cli.cluster import ray_option, set_ray_address
from mirror_bench.errors import InputError

if TYPE_CHECKING:
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
@click.option(
    "--data",
    default="",
    help="Another data source: mini, mirror:PATH, mirror:hub, "
    "cactus:PATH, vera:FOLDER, patienthub:FILE, mindeval:FILE, imported:RUN.",
)
@click.option(
    "--resistance",
    default="",
    help="How every client resists: emotional, cognitive, behavioral or none; each profile's own by default.",
)
@click.option("--faces", default="", help="drawn, or a prepared set of images: set:FOLDER.")
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
@ray_option
@click.option("-o", "--out", type=click.Path(path_type=Path), default=None, help="The run folder.")
@click.option(
    "--retry-failed",
    is_flag=True,
    help="Hold sessions again that were recorded as failed, and ask judges anew whose answers were unusable.",
)
@click.option(
    "--min-coverage",
    type=click.FloatRange(0, 1),
    default=0.95,
    show_default=True,
    help="Exit with 1 where a smaller share of the sessions due was held and rated.",
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(out: Path | None, as_json: bool, min_coverage: float, **options: Any) -> None:
    """Hold sessions with a therapist, rate them and report; the same command goes on where a run stopped."""
    from mirror_bench.cli.coverage import covered
    from mirror_bench.cli.outcome import finish
    from mirror_bench.sessions.candidate import read_candidate
    from mirror_bench.sessions.choosing import chosen_conditions, chosen_protocol, usual_folder
    from mirror_bench.sessions.evaluation import Evaluation

    set_ray_address(options.pop("ray"))
    chosen = read_candidate(options["therapist"], options["method"], options["context"], options["label"])
    protocol = chosen_protocol(
        options["protocol"], seeds=_seeds(options["seeds"]), **{key: options[key] for key in PROTOCOL_OPTIONS}
    )
    evaluation = Evaluation(
        protocol=protocol,
        candidate=chosen,
        out=out or usual_folder(chosen, protocol),
        conditions=chosen_conditions(options["face_conditions"].split(",")),
        limit=options["limit"],
        concurrency=options["concurrency"],
        quiet=options["quiet"] or as_json,
        retry_failed=options["retry_failed"],
        probe_turns=options["probe_turns"],
    )
    run_until_done(evaluation)
    summary = finish([evaluation.out], evaluation.out, as_json=as_json)
    if not covered(evaluation.out, summary, min_coverage):
        sys.exit(1)


PROTOCOL_OPTIONS = (
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
    "safety",
    "resistance",
)


def run_until_done(evaluation: Evaluation) -> None:
    """Evaluates; a Ctrl-C or a request to end says how to go on.

    Raises:
        InputError: If anything given cannot be used.
    """
    from mirror_bench.sessions.evaluation import evaluate

    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        asyncio.run(evaluate(evaluation))
    except KeyboardInterrupt:
        click.echo(
            f"stopped; every finished turn is kept in {evaluation.out}: the same command goes on", err=True
        )
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _seeds(text: str) -> tuple[int, ...]:
    if not text:
        return ()
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise InputError(f"--seeds {text!r}: give whole numbers joined by commas, such as 0,1,2") from None
