"""`mirror-bench view`: a local page that follows a run while it is held."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path

import click

from mirror_bench.errors import InputError


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="A port; any free one if not given.")
@click.option("--open", "opened", is_flag=True, help="Open the page in the browser.")
def view(run: Path, port: int, opened: bool) -> None:
    """Follow the run folder RUN on a page of this machine: sessions turn by turn, failures, ratings.

    The run may be held by another process, stopped or finished. Doubtful safety findings can be confirmed or
    rejected on the page. It is served to this machine alone, until Ctrl-C.
    """
    for needed in ("starlette", "uvicorn"):
        if importlib.util.find_spec(needed) is None:
            raise InputError(f"{needed} is not installed: pip install 'mirror-bench[view]'")
    import uvicorn

    from mirror_bench.pages.live.server import LivePage

    if (run / "report.html").is_file() and not (run / "run.json").exists():
        raise InputError(
            f"{run} holds a report of several runs, {run / 'report.html'}, and view shows one run: "
            "name its folder"
        )
    page = LivePage(run)
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
        bound.listen()  # before the address is told: who opens it at once waits, and is not refused
    except OSError as error:
        raise InputError(f"--port {port}: cannot be had ({error.strerror}); leave it out") from None
    address = f"http://127.0.0.1:{bound.getsockname()[1]}/"
    click.echo(f"{address}  (Ctrl-C ends it)")
    if opened:
        click.launch(address)
    config = uvicorn.Config(page.application(), log_level="error", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[bound])
