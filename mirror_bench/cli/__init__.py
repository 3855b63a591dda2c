"""The command `mirror-bench`: a thin table of commands, each loaded when it is called."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import sys
from typing import Any

import click

from mirror_bench import __version__
from mirror_bench.errors import InputError, did_you_mean
from mirror_bench.files import disk_problem
from mirror_bench.keys import redact

COMMANDS = {
    "run": "Hold sessions with a therapist, rate them and report.",
    "import": "Make a run folder of conversations that were held elsewhere.",
    "estimate": "Say what a run would take: calls, tokens, time and cost.",
    "rate": "Rate the sessions of a run again, with another judge or instrument.",
    "findings": "Read doubtful safety findings, and confirm or reject each with one key.",
    "view": "Follow a run on a local page while it is held.",
    "paper": "Repeat the MIRROR paper's study: from data to its table.",
    "report": "Write summary.json, report.html and plots of one or more runs.",
    "gate": "Fail a build when a run is worse than another by more than a margin.",
    "compare": "Compare runs two at a time, scenario by scenario.",
    "plot": "Draw figures of one or more runs for a paper.",
    "history": "Follow a model over many runs, and name the first drop.",
    "card": "Print a run's scores as model-card metadata.",
    "power": "Say how many scenarios and profiles it takes to find an effect.",
    "validate": "Measure how far scores can be trusted, on sessions of known quality.",
    "licence": "Put a judge through an examination, before its scores are believed.",
    "study": "Have people rate or compare sessions, blinded, and say how far they and judges agree.",
    "audit": "Try to be rated well without helping, or audit the simulated client.",
    "tasks": "Run lm-eval tasks, ours among them, with any of our engines.",
    "pack": "Put a run into one file to hand in.",
    "verify": "Recompute what a handed-in file says.",
    "export-lm-eval": "Write a run in lm-eval's results and samples format.",
    "export-inspect": "Write a run as logs that inspect view opens.",
    "demo": "Compare the scripted therapists and the shipped reference model.",
    "data": "Look at profiles and screenplays, make and export them.",
    "faces": "Draw faces and contact sheets, make photographs, look over a prepared set.",
    "protocol": "Show protocols and their fingerprints.",
    "instrument": "Show instruments, the features that coded rules may name, and check a file.",
    "doctor": "Say what this machine can run, and the remedy for what is missing.",
}


PLACES = {
    **dict.fromkeys(("data", "faces", "protocol", "instrument", "import"), "content"),
    **dict.fromkeys(("export-lm-eval", "export-inspect"), "exports"),
    "paper": "reproduction",
    **dict.fromkeys(("pack", "verify", "card"), "submissions"),
}
"""Command -> the folder that its module lies in, where not beside this file."""


class Commands(click.Group):
    """Loads a command's module when it is called, so that help costs no import."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Returns the commands in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Returns one command."""
        if name not in COMMANDS:
            return None
        module = "import_run" if name == "import" else name.replace("-", "_")  # a keyword names no module
        place = ".".join(filter(None, ("mirror_bench.cli", PLACES.get(name, ""), module)))
        command: click.Command = getattr(importlib.import_module(place), module)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the table of commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command, or says which ones there are."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = did_you_mean(args[0], COMMANDS)
            raise InputError(f"no command {args[0]!r}: {hint}known are {', '.join(COMMANDS)}")
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mirror-bench")
def cli() -> None:
    """Evaluate multimodal therapists in sessions with a simulated, resisting client.

    A model is named provider/name?option=value, for example vllm/Qwen/Qwen2.5-VL-7B-Instruct,
    openai/gpt-4o, transformers/./checkpoint or scripted/reflective.
    Exit codes: 0 fine, 1 the measured answer is no, 2 bad input or environment.
    """


# numpy's matrices here are small, and raters work in a process a core: more threads wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def main() -> None:
    """Runs the command line; bad input, and a disk that refuses, is one line and exit code 2."""
    speak_plainly()
    try:
        code = cli.main(standalone_mode=False)
        sys.stdout.flush()
    except InputError as error:
        _fail(" ".join(str(error).split()))
    except click.ClickException as error:
        _fail(" ".join(error.format_message().split()))
    except (click.Abort, KeyboardInterrupt):
        click.echo("mirror-bench: stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        _silence()
        _fail(str(disk_problem(error)))
    sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str) -> None:
    click.echo(f"mirror-bench: {redact(message)}", err=True)
    sys.exit(2)


def _silence() -> None:
    """Drops what a full output did not take, which Python would try to write once more at its end."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def speak_plainly() -> None:
    """Lets output in a narrow encoding (LANG=C, ascii) lose a letter rather than end in an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def print_json(value: Any) -> None:
    """Prints a result for machines; where the output cannot hold every letter, in ASCII escapes."""
    wide = (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    click.echo(json.dumps(value, ensure_ascii=not wide, indent=1))
