"""Makes faces: asks for an image, puts it before every check, tries again, and keeps only what passed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mirror_bench.engines.base import Engine
from mirror_bench.errors import EngineError, told
from mirror_bench.making.faces.checks.base import CAUTION, ExaminedImage, ImageCheck
from mirror_bench.making.faces.checks.caution import calls_for_caution
from mirror_bench.making.faces.descriptions import Description, described, described_by, order_of
from mirror_bench.making.faces.due import DueFace
from mirror_bench.making.faces.generators import Commission, FaceGenerator
from mirror_bench.making.faces.journal import Attempt, FaceJournal
from mirror_bench.schema import derive_seed
from mirror_bench.sessions.progress import Tally, shown
from mirror_bench.waiting import gathered

DESCRIPTION = "description"
"""What an attempt is rejected by where no language model could put the face into words."""


@dataclass
class FaceMaker:
    """Makes the faces that are due: generates images until one passes all checks.

    Attributes:
        journal: Keeps images and attempts.
        generators: One a device, started; each makes one image at a time.
        checks: In the order in which an image meets them; it falls to the first that it does not pass.
        attempts: Images that are tried for one face at most.
        caution: Whether words that disclose danger are left out.
        writer: A language model that puts faces into words; None for the reader of stage directions.
    """

    journal: FaceJournal
    generators: Sequence[FaceGenerator]
    checks: Mapping[str, ImageCheck]
    attempts: int = 10
    caution: bool = True
    writer: Engine | None = None
    _examining: threading.Lock = field(default_factory=threading.Lock)

    async def make(self, due: Sequence[DueFace], quiet: bool = False) -> None:
        """Makes every face that is not over yet.

        Raises:
            InputError: If a generator, a check or the disk refuses for good; what was made is kept.
        """
        self.journal.forget_lost_images(
            {face.id: self.journal.file_of(face.who.person, face.id) for face in due}
        )
        before = sum(self.journal.over(face.id, self.attempts) for face in due)
        tally = Tally("faces", due=len(due), done=before, before=before)
        waiting = iter([face for face in due if not self.journal.over(face.id, self.attempts)])
        async with shown(tally, "faces", quiet):
            await gathered(self._work(generator, waiting, tally) for generator in self.generators)

    async def _work(self, generator: FaceGenerator, waiting: Iterator[DueFace], tally: Tally) -> None:
        for face in waiting:
            description = await self._describe(face)
            if description is not None:
                await asyncio.to_thread(self._try, generator, face, description)
            tally.done += 1
            tally.failed += self.journal.kept(face.id) is None

    async def _describe(self, due: DueFace) -> Description | None:
        """Returns the face in words, or None where nothing is to be made, having said why."""
        if self.caution and (why := calls_for_caution(due.words, due.direction)):
            self.journal.add(Attempt(face=due.id, number=0, rejected_by=CAUTION, reason=why, final=True))
            return None
        if self.writer is None:
            return described(due)
        try:
            found = await described_by(self.writer, due)
        except EngineError as error:
            number = len(self.journal.attempts.get(due.id, ()))
            self.journal.add(Attempt(face=due.id, number=number, rejected_by=DESCRIPTION, reason=told(error)))
            return None
        if self.caution and (why := calls_for_caution(found.face)):
            self.journal.add(Attempt(face=due.id, number=0, rejected_by=CAUTION, reason=why, final=True))
            return None
        return found

    def _try(self, generator: FaceGenerator, due: DueFace, description: Description) -> None:
        order = order_of(due, description)
        while not self.journal.over(due.id, self.attempts):
            number = len(self.journal.attempts.get(due.id, ()))
            seed = derive_seed("face", due.id, number)
            png = generator.make(Commission(due, order.prompt, order.negative, seed))
            attempt = Attempt(
                face=due.id,
                number=number,
                seed=seed,
                face_words=description.face,
                contrast=description.contrast,
            )
            attempt = self._examine(attempt, ExaminedImage(png, due, description.face))
            if attempt.rejected_by:
                self.journal.add(attempt)
            else:
                self.journal.add(attempt, self.journal.file_of(due.who.person, due.id), png)

    def _examine(self, attempt: Attempt, seen: ExaminedImage) -> Attempt:
        """Returns the attempt with what the checks measured, and the one that it fell to."""
        measured: dict[str, float] = {}
        with self._examining:  # networks need not be safe for threads
            for name, check in self.checks.items():
                verdict = check.check(seen)
                if verdict.value is not None:
                    measured[name] = round(verdict.value, 4)
                if not verdict.passes:
                    fell = {
                        "rejected_by": name,
                        "reason": verdict.reason,
                        "measured": measured,
                        "final": verdict.final,
                    }
                    return attempt.model_copy(update=fell)
        return attempt.model_copy(update={"measured": measured})
