"""Makes a replay of real sessions: transcripts as screenplays, and the client's face at each turn."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mirror_bench.data.base import DataSet
from mirror_bench.data.export.mini_folder import write_packaged
from mirror_bench.data.screenplays.records import Line, Screenplay
from mirror_bench.errors import InputError
from mirror_bench.faces.sets.folder import METADATA
from mirror_bench.files import guarded, write_atomically
from mirror_bench.making.video.frames import FrameLimits, Video, examine, opened
from mirror_bench.making.video.transcripts import Rights, TimedTranscript, TimedTurn, rights_at
from mirror_bench.schema import Profile, Record, Speaker, canonical_json
from mirror_bench.sessions.progress import Tally, shown

DATA, FACES, REJECTIONS, DONE = "data", "faces", "rejections.jsonl", ".done"
_MOMENTS = (0.5, 0.35, 0.65, 0.2, 0.8)
"""Where in a turn a frame is looked for, one after the other."""
_COLUMNS = ("file_name", "profile", "turn", "seconds", "width", "video", "licence", "consent")


class KeptFrame(Record):
    """A frame that was kept, a row of `metadata.csv`."""

    file_name: str
    profile: str
    turn: int
    seconds: float
    width: int
    video: str
    licence: str
    consent: str


class FallenFrame(Record):
    """A moment that gave no frame, and why."""

    profile: str
    turn: int
    seconds: float
    reason: str


class TranscriptFrames(Record):
    """The frames kept from one video, and the moments that gave none."""

    turns: int
    kept: tuple[KeptFrame, ...] = ()
    fallen: tuple[FallenFrame, ...] = ()


class VideoYield(Record):
    """How many client turns have a face.

    Attributes:
        without_video: Transcripts without a video; nothing of them is taken.
        without_frame: Transcripts with a video of which no frame was kept.
        fallen: Reason -> moments that fell to it; a turn may have several before one is kept.
    """

    transcripts: int
    turns: int
    kept: int
    without_video: tuple[str, ...]
    without_frame: tuple[str, ...]
    fallen: Mapping[str, int]


@dataclass(frozen=True)
class ReplayMaker:
    """Makes the replay of transcripts in a folder (begun by `making.settings.making_in`).

    Attributes:
        videos: Transcript -> its video.
        rights: Transcript -> on what ground it may be used.
    """

    folder: Path
    videos: Mapping[str, Path]
    rights: Mapping[str, Sequence[Rights]]
    limits: FrameLimits

    async def make(self, transcripts: Sequence[TimedTranscript], quiet: bool = False) -> VideoYield:
        """Writes `faces/`, `metadata.csv`, `data/` and `rejections.jsonl`.

        Raises:
            InputError: If a video cannot be read or the disk refuses; videos that are done stay done.
        """
        given = [transcript for transcript in transcripts if transcript.id in self.videos]
        frames: dict[str, TranscriptFrames] = {}
        tally = Tally("videos", due=len(given))
        async with shown(tally, "videos", quiet):
            for transcript in given:
                frames[transcript.id] = await asyncio.to_thread(self._frames_of, transcript)
                tally.done += 1
        self._write(given, frames)
        return VideoYield(
            transcripts=len(transcripts),
            turns=sum(frames.turns for frames in frames.values()),
            kept=sum(len(frames.kept) for frames in frames.values()),
            without_video=tuple(
                transcript.id for transcript in transcripts if transcript.id not in self.videos
            ),
            without_frame=tuple(id for id, frames in frames.items() if not frames.kept),
            fallen=dict(
                Counter(
                    moment.reason.partition(":")[0] for frames in frames.values() for moment in frames.fallen
                ).most_common()
            ),
        )

    def _frames_of(self, transcript: TimedTranscript) -> TranscriptFrames:
        done = self.folder / DONE / f"{transcript.id}.json"
        if done.is_file():
            try:
                before = TranscriptFrames.model_validate_json(done.read_bytes())
                if all((self.folder / frame.file_name).is_file() for frame in before.kept):
                    return before
            except ValidationError:
                pass  # it is looked through again
        client = [turn for turn in transcript.turns if turn.speaker is Speaker.CLIENT]
        kept: list[KeptFrame] = []
        fallen: list[FallenFrame] = []
        with opened(self.videos[transcript.id]) as video:
            for number, turn in enumerate(client):
                frame = self._frame_of(transcript.id, number, turn, video, fallen)
                kept += [frame] if frame else []
        made = TranscriptFrames(turns=len(client), kept=tuple(kept), fallen=tuple(fallen))
        write_atomically(done, made.model_dump_json().encode())
        return made

    def _frame_of(
        self, id: str, number: int, turn: TimedTurn, video: Video, fallen: list[FallenFrame]
    ) -> KeptFrame | None:
        for moment in _MOMENTS:
            seconds = round(turn.start + moment * (turn.end - turn.start), 3)

            def falls(reason: str, seconds: float = seconds) -> None:
                fallen.append(FallenFrame(profile=id, turn=number, seconds=seconds, reason=reason))

            rights = rights_at(self.rights.get(id, ()), seconds)
            if rights is None:
                falls("rights: no licence and consent are stated for this moment")
                continue
            pixels = video.frame(seconds)
            if pixels is None:
                falls("end: the video is over before")
                continue
            verdict = examine(pixels, self.limits)
            if not verdict.png:
                falls(verdict.reason)
                continue
            name = f"{FACES}/{id}/{number:03d}.png"
            write_atomically(self.folder / name, verdict.png)
            return KeptFrame(
                file_name=name,
                profile=id,
                turn=number,
                seconds=seconds,
                width=verdict.width,
                video=self.videos[id].name,
                licence=rights.licence,
                consent=rights.consent,
            )
        return None

    def _write(
        self, transcripts: Sequence[TimedTranscript], frames_of: Mapping[str, TranscriptFrames]
    ) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(frame.model_dump() for frames in frames_of.values() for frame in frames.kept)
        write_atomically(self.folder / METADATA, text.getvalue().encode("utf-8", "replace"))
        rows = (
            canonical_json(frame.model_dump(mode="json"))
            for each in frames_of.values()
            for frame in each.fallen
        )
        write_atomically(self.folder / REJECTIONS, "".join(row + "\n" for row in rows).encode())
        with guarded(self.folder):
            shutil.rmtree(self.folder / DATA, ignore_errors=True)
        seen = [transcript for transcript in transcripts if frames_of[transcript.id].kept]
        if seen:
            profiles = tuple(Profile(id=transcript.id, name="Client", split="test") for transcript in seen)
            plays = tuple(_screenplay(transcript) for transcript in seen)
            write_packaged(DataSet("video", profiles, plays), self.folder / DATA)


def yield_lines(result: VideoYield, folder: Path) -> list[str]:
    """Returns the yield as lines of text."""
    videos = result.transcripts - len(result.without_video)
    lines = [f"{result.kept} of {result.turns} client turns of {videos} videos have a face: {folder}"]
    lines += [f"{name:<10} {count:>7} moments fell" for name, count in result.fallen.items()]
    if result.without_video:
        lines.append(f"no video: {_some(result.without_video)}")
    if result.without_frame:
        lines.append(f"no frame kept, so left out: {_some(result.without_frame)}")
    if result.kept:
        lines.append(
            f"mirror-bench run --protocol replay-real --data mini:{folder / DATA} --faces frames:{folder} …"
        )
    return lines


def _screenplay(transcript: TimedTranscript) -> Screenplay:
    lines = tuple(
        Line(speaker=turn.speaker, directions=turn.directions, words=turn.words) for turn in transcript.turns
    )
    return Screenplay(id=transcript.id, profile_id=transcript.id, lines=lines, split="test")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more


def settings_of(
    transcripts: Sequence[TimedTranscript],
    videos: Mapping[str, Path],
    rights: Mapping[str, Sequence[Rights]],
    limits: FrameLimits,
) -> dict[str, Any]:
    """Returns what decides the frames.

    Raises:
        InputError: If the side is none of those known.
    """
    from mirror_bench.making.video.frames import SIDES
    from mirror_bench.schema import digest

    if limits.side not in SIDES:
        raise InputError(f"--side {limits.side}: known are {', '.join(SIDES)}")
    return {
        "transcripts": digest([list(map(list, transcript.turns)) for transcript in transcripts]),
        "videos": {id: path.stat().st_size for id, path in videos.items()},
        "rights": digest(
            {id: [[str(field) for field in right] for right in each] for id, each in rights.items()}
        ),
        "limits": list(limits),
    }
