"""Faces of the site: only images with the digest that a session names."""

from pathlib import Path

import report_samples as samples
from PIL import Image

from leaderboard.faces import Artist, FaceFiles
from mirror_bench.protocol import load_protocol
from mirror_bench.schema import Session, Turn
from mirror_bench.sessions.candidate import read_candidate
from mirror_bench.sessions.evaluation import Evaluation, evaluate
from mirror_bench.sessions.run_folder import read_sessions
from mirror_bench.sessions.run_header import read_header


class Nobody(Artist):
    """Draws nothing."""

    def __init__(self) -> None:
        pass

    def draw(self, session: Session, number: int, turn: Turn) -> bytes | None:
        return None


def _run(place: Path) -> tuple[Session, Path]:
    session = samples.session_of(samples.scenarios(1)[0])
    (place / "faces").mkdir()
    for sha256, png in samples.FACES.items():
        (place / "faces" / f"{sha256}.png").write_bytes(png)
    return session, place


def test_faces_are_made_anew(tmp_path: Path) -> None:
    session, run = _run(tmp_path)
    kept = FaceFiles(tmp_path / "out").keep(session, run, Nobody())
    shown = {turn.face for turn in session.turns if turn.face}
    assert kept == dict.fromkeys(shown, True) | ({"": False} if "" in kept else {})
    assert {path.stem for path in (tmp_path / "out").iterdir()} == shown
    for path in (tmp_path / "out").iterdir():
        with Image.open(path) as image:
            assert image.format == "WEBP"
            assert image.size == (336, 336)


def test_a_forged_face_is_left_out(tmp_path: Path) -> None:
    session, run = _run(tmp_path)
    forged = session.turns[0].face
    other = next(sha256 for sha256 in samples.FACES if sha256 != forged)
    (run / "faces" / f"{forged}.png").write_bytes(samples.FACES[other])
    assert not FaceFiles(tmp_path / "out").keep(session, run, Nobody())[forged]


def test_names_that_are_no_digest_are_left_out(tmp_path: Path) -> None:
    session, run = _run(tmp_path)
    turn = session.turns[0].model_copy(update={"face": "../../run.json"})
    hostile = session.model_copy(update={"turns": (turn,)})
    assert FaceFiles(tmp_path / "out").keep(hostile, run, Nobody()) == {"../../run.json": False}


async def test_faces_that_were_not_handed_in_are_drawn_again(tmp_path: Path) -> None:
    protocol, folder = load_protocol("offline"), tmp_path / "run"
    candidate = read_candidate("scripted/attuned")
    await evaluate(Evaluation(protocol, candidate, folder, limit=1, quiet=True))
    session = next(iter(read_sessions(folder)))
    shown = {turn.face for turn in session.turns if turn.face}
    for path in (folder / "faces").iterdir():
        path.unlink()
    kept = FaceFiles(tmp_path / "out").keep(session, folder, Artist(read_header(folder)))
    assert shown
    assert {face for face, known in kept.items() if known} == shown
