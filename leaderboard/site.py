"""Writes the site: pages, the scripts that they load on demand, faces and downloads."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment

from leaderboard.boards import Board, Model, badges
from leaderboard.cache import BoardCache
from leaderboard.downloads import bibtex, board_csv, board_json, model_json, sessions_csv
from leaderboard.faces import Artist, FaceFiles
from leaderboard.model_page import view_model
from leaderboard.page_data import model_payload, script, session_payload
from mirror_bench.analysis.display_names import entry_labels
from mirror_bench.analysis.metrics import Metric
from mirror_bench.errors import InputError
from mirror_bench.pages.report import page_environment, shared_assets
from mirror_bench.pages.session_viewer import ENDINGS
from mirror_bench.schema import FaceCondition, Rating, SessionKey
from mirror_bench.sessions.rating import counted_ratings, standing_of
from mirror_bench.sessions.run_folder import read_sessions

HERE = Path(__file__).parent
MARK = "board.json"
"""A folder that holds it is an earlier site, and may be replaced."""
SHOWN_OF_SESSIONS = {
    "attunement": "Attunement",
    "dropout": "Drop-out",
    "resistance_change": "Resistance change",
    "words_per_turn": "Words a turn",
}
"""Session metrics that a model's page shows -> their heading."""
ON_THE_BOARD = ("attunement", "dropout")
"""Those of them that the board has a column for: more would lie beside a screen of 1280 pixels."""


class SiteSize(NamedTuple):
    """How many models and sessions a site holds, and its bytes."""

    models: int
    sessions: int
    bytes: int


def write_site(out: Path, boards: Sequence[Board], cache: BoardCache | None = None) -> SiteSize:
    """Writes the site whole: a failure leaves what was there.

    Args:
        out: Where to; missing, empty, or an earlier site.
        boards: What to show, the first being shown first.
        cache: Remembers the sessions' files and faces of submissions that have not changed.

    Raises:
        InputError: If the folder holds something else.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file: name a folder")
    if out.is_dir() and any(out.iterdir()) and not (out / MARK).is_file():
        raise InputError(f"--out {out} holds other files than a site: name a new or empty folder")
    draft, before = (out.with_name(f".{out.name}.{kind}") for kind in ("part", "before"))
    shutil.rmtree(draft, ignore_errors=True)
    try:
        sessions = _write(draft, boards, cache)
        _replace(out, draft, before)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    return SiteSize(sum(len(board.models) for board in boards), sessions, size)


def _replace(out: Path, draft: Path, before: Path) -> None:
    """Puts the draft in the site's place; the site is set aside until the draft stands there."""
    shutil.rmtree(before, ignore_errors=True)
    if out.is_dir():
        out.replace(before)
    try:
        draft.replace(out)
    except OSError:
        if before.is_dir():
            before.replace(out)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _write(place: Path, boards: Sequence[Board], cache: BoardCache | None) -> int:
    environment = _environment()
    _put_assets(place / "assets")
    models = [(model, board) for board in boards for model in board.models]
    _put(
        place / "index.html",
        environment.get_template("index.html.jinja").render(
            root="", boards=boards, count=len(models), filters=_filters([model for model, _ in models])
        ),
    )
    for name in ("compare", "viewer"):
        target = place / ("session.html" if name == "viewer" else f"{name}.html")
        _put(target, environment.get_template(f"{name}.html.jinja").render(root="", boards=boards))
    _put(place / "board.csv", board_csv(boards))
    _put(place / MARK, board_json(boards))
    _put(place / "board.bib", bibtex(models))
    faces = FaceFiles(place / "faces")
    for model, board in models:
        _write_model(place, model, board, environment)
    scripts = place / "data" / "sessions"
    return sum(_write_sessions(scripts / model.slug, model, faces, cache) for model, _ in models)


def _write_model(place: Path, model: Model, board: Board, environment: Environment) -> None:
    numbers = _numbers(model)
    page = environment.get_template("model.html.jinja").render(
        root="../",
        model=model,
        board=board,
        view=view_model(model, board, numbers),
        scenario_numbers={
            one.session_key.scenario_id: numbers[one.pair, one.key.condition]
            for one in model.submission.sessions
        },
        labels=entry_labels([model.entry.key], 40),
        item_groups=[
            (metric, [(model.entry, model.score(metric.name))])
            for metric in board.metrics
            if metric.kind in ("subscale", "item")
        ],
    )
    _put(place / "models" / f"{model.slug}.html", page)
    _put(place / "models" / f"{model.slug}.json", model_json(model, board))
    _put(place / "models" / f"{model.slug}.csv", sessions_csv(model, board))
    _put(place / "models" / f"{model.slug}.bib", bibtex([(model, board)]))
    payload = model_payload(model, board, numbers)
    _put(place / "data" / "models" / f"{model.slug}.js", script(model.slug, payload))


def _write_sessions(place: Path, model: Model, faces: FaceFiles, cache: BoardCache | None) -> int:
    key = (model.submission.digest, model.slug, model.name)
    made = cache.sessions(key) if cache and model.submission.digest else None
    if made:
        scripts, seen = made
        faces.adopt(seen)
    else:
        scripts, shown = _session_scripts(model, faces)
        if cache and model.submission.digest:
            cache.keep_sessions(key, scripts, faces.files(shown))
    place.mkdir(parents=True, exist_ok=True)
    for name, text in scripts.items():
        (place / name).write_bytes(text)
    return len(scripts)


def _session_scripts(model: Model, faces: FaceFiles) -> tuple[dict[str, bytes], list[str]]:
    """Returns the files of a model's sessions by name, and the faces that they show."""
    folder, numbers = model.submission.folder, _numbers(model)
    ratings: dict[SessionKey, dict[tuple[str, str], Rating]] = {}
    standing = standing_of(folder, model.submission.header)
    for rating in counted_ratings(folder, standing):
        ratings.setdefault(rating.session_key, {})[rating.rater, rating.instrument] = rating
    scripts: dict[str, bytes] = {}
    shown: dict[str, None] = {}
    artist = Artist(model.submission.header)
    for session in read_sessions(folder):  # of one that stands twice, the last stays
        number = numbers[session.pair, session.condition]
        kept = faces.keep(session, folder, artist)
        made = ratings.get(session.key, {}).values()
        payload = session_payload(session, made, kept, model.name, standing.form_of)
        payload |= {"model": model.slug, "number": number, "of": len(numbers)}
        text = script(f"{model.slug}/{number}", payload)
        scripts[f"{number}.js"] = text.encode("utf-8", "replace")
        shown |= dict.fromkeys(kept)
    return scripts, list(shown)


def _numbers(model: Model) -> dict[tuple[str, FaceCondition], int]:
    order = list(FaceCondition)
    keys = {(outcome.pair, outcome.key.condition) for outcome in model.submission.sessions}
    ordered = sorted(keys, key=lambda key: (order.index(key[1]), key[0]))
    return {key: number for number, key in enumerate(ordered, 1)}


def _environment() -> Environment:
    environment = page_environment("leaderboard")
    environment.globals.update(
        badges=badges,
        session_metrics=_session_metrics,
        on_the_board=ON_THE_BOARD,
        short_titles=SHOWN_OF_SESSIONS,
        endings=ENDINGS,
    )
    return environment


def _session_metrics(board: Board, wanted: Collection[str] = SHOWN_OF_SESSIONS) -> tuple[Metric, ...]:
    return tuple(metric for metric in board.metrics if metric.name in wanted)


def _filters(models: Sequence[Model]) -> list[tuple[str, str, list[str]]]:
    """Returns (name, title, choices) of the filters; one that would not part any models is left out."""
    values: Mapping[str, tuple[str, set[str]]] = {
        "method": ("Method", {model.submission.method for model in models}),
        "size": ("Size", {model.size for model in models}),
        "modality": ("Sees", {model.submission.card.modality for model in models}),
        "licence": ("Licence", {model.submission.card.licence for model in models}),
    }
    return [(name, title, sorted(found)) for name, (title, found) in values.items()]


def _put_assets(place: Path) -> None:
    place.mkdir(parents=True)
    own = sorted((HERE / "assets").iterdir())
    for path in (*own, *shared_assets()):
        shutil.copyfile(path, place / path.name)


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="replace")
