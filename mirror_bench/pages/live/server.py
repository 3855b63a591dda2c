"""Serves the page of a run to this machine alone: nothing from outside, every text escaped, answers kept."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirror_bench.analysis.findings import ANSWERS, keep_judged
from mirror_bench.errors import InputError
from mirror_bench.pages.live.reading import FollowedRun, RunState
from mirror_bench.pages.report import asset, page_environment, policy_hash
from mirror_bench.pages.session_viewer import view_session
from mirror_bench.sessions.watching import ask_for_open_sessions

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

HOSTS = ["127.0.0.1", "localhost"]
"""Under which names the page answers: a stranger's name for this machine gets nothing."""
_LONGEST_BODY = 1_000


class LivePage:
    """Serves the live page of one run while it is held.

    Args:
        folder: The run.

    Raises:
        InputError: If it is no run folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run = FollowedRun(folder)
        self._token = secrets.token_urlsafe(24)
        self._templates = page_environment()
        self._reading = asyncio.Lock()

    def application(self) -> Starlette:
        """Returns the server's application."""
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.middleware.trustedhost import TrustedHostMiddleware
        from starlette.routing import Route

        return Starlette(
            routes=[
                Route("/", self._page),
                Route("/state", self._state),
                Route("/report.html", self._report),
                Route("/findings/{finding}", self._answer, methods=["POST"]),
            ],
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)],
        )

    async def _page(self, request: Request) -> Response:
        from starlette.responses import HTMLResponse

        css, script = asset("report.css") + asset("live.css"), asset("live.js")
        text = self._templates.get_template("live.html.jinja").render(
            css=css, script=script, token=self._token, name=self._folder.resolve().name
        )
        policy = (
            f"default-src 'none'; img-src data:; connect-src 'self'; style-src '{policy_hash(css)}'; "
            f"script-src '{policy_hash(script)}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        return HTMLResponse(text, headers={"Content-Security-Policy": policy, **_PLAIN})

    async def _state(self, request: Request) -> Response:
        from starlette.responses import JSONResponse

        ask_for_open_sessions(self._folder)
        wanted = request.query_params.get("session", "")
        async with self._reading:
            parts = await asyncio.to_thread(self._parts, wanted)
        return JSONResponse(parts, headers=_PLAIN)

    async def _report(self, request: Request) -> Response:
        """The run's report, walled off: its script is none of this page's and answers no finding."""
        from starlette.responses import FileResponse, PlainTextResponse

        path = self._folder / "report.html"
        if not path.is_file():
            return PlainTextResponse("the run has no report yet", 404)
        return FileResponse(path, headers={"Content-Security-Policy": "sandbox allow-scripts", **_PLAIN})

    def _parts(self, wanted: str) -> dict[str, Any]:
        """The parts of the page as HTML, by the ids of the places that they fill."""
        state = self._run.state()
        findings = self._run.findings()
        render = self._templates.get_template
        return {
            "status": state.status,
            "progress": render("live_progress.html.jinja").render(state=state),
            "sessions": render("live_sessions.html.jinja").render(state=state, wanted=wanted),
            "findings": render("live_findings.html.jinja").render(findings=findings),
            "session": self._session(state, wanted),
        }

    def _session(self, state: RunState, wanted: str) -> str:
        """The session that is looked at: the chosen one, else the first of the open ones, else the newest."""
        template = self._templates.get_template("session.html.jinja")
        ids = [*(one.scenario_id for one in state.open), *(row.scenario_id for row in state.rows)]
        chosen = wanted or next(iter(ids), "")
        held = self._run.session(chosen)
        if held is not None:
            return template.render(view=view_session("s", *held, self._face))
        for session in state.open:
            if session.scenario_id == chosen:
                view = view_session("s", session, (), self._face)
                return template.render(view=replace(view, ending="being held"))
        return ""

    def _face(self, sha256: str) -> bytes | None:
        path = self._folder / "faces" / f"{sha256}.png"
        return path.read_bytes() if path.is_file() else None

    async def _answer(self, request: Request) -> Response:
        """Keeps what a person says of a finding, if the page itself asks and there is such a finding."""
        from starlette.responses import JSONResponse

        if not hmac.compare_digest(request.headers.get("x-token", ""), self._token):
            return JSONResponse({"error": "this answer does not come from the page"}, 403)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LONGEST_BODY:
                return JSONResponse({"error": "the answer is too long"}, 413)
        try:
            said = json.loads(body)["said"]
        except (ValueError, KeyError, TypeError, RecursionError):
            said = None
        finding = request.path_params["finding"]
        async with self._reading:
            known = {one.id: one for one in await asyncio.to_thread(self._run.findings)}
        if said not in ANSWERS or finding not in known:
            return JSONResponse({"error": f"{finding}: no such finding or answer"}, 400)
        try:
            await asyncio.to_thread(keep_judged, self._folder, known[finding], said)
        except InputError as error:
            return JSONResponse({"error": str(error)}, 500)
        return JSONResponse({"kept": said})


_PLAIN = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
