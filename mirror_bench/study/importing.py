"""Takes in what raters sent back: their ratings enter the runs, comparisons the study's folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mirror_bench.errors import InputError
from mirror_bench.study.answers import SentAnswers, read_answers
from mirror_bench.study.quality import AnswerQuality, assess
from mirror_bench.study.records import StudyKey, read_key
from mirror_bench.study.sinks import ComparisonSink, RatingSink


class ImportedRater(NamedTuple):
    """How many of one rater's answers were taken in, or why none was.

    Attributes:
        quality: What is to be said of them.
        added: Ratings or comparisons that were taken in now.
        known: Those that were there already, with the same answers.
        left_out: Why none was taken in; empty where they were.
    """

    sent: SentAnswers
    quality: AnswerQuality
    added: int = 0
    known: int = 0
    left_out: tuple[str, ...] = ()


class ImportedStudy(NamedTuple):
    """Which raters' files were taken in, refused or are still absent.

    Attributes:
        refused: What could not be read or used, one line with the remedy for each file.
        absent: Raters of whom nothing has come yet.
        notes: What else is to be known.
    """

    raters: tuple[ImportedRater, ...]
    refused: tuple[str, ...]
    absent: tuple[str, ...]
    notes: tuple[str, ...] = ()


def import_answers(
    study: Path, files: Sequence[Path], *, include: Sequence[str] = (), replace: bool = False
) -> ImportedStudy:
    """Puts raters' answers into the runs that a study was made of, and returns what was taken in.

    What a rater gave before is never overwritten: the same answers are left as they are, more of them are
    added, and other ones are refused unless `replace`: the later ones count then, and the earlier ones stay
    in the run's file, or in `answers/` of the study. A file that cannot be used keeps no other from being
    taken in.

    Args:
        study: The study's folder.
        files: What came back.
        include: Codes of raters whose answers are taken in although they should stay out.
        replace: Whether other answers than before are taken in.

    Raises:
        InputError: If the study or a run is not there, has changed, or a code of `include` is unknown.
    """
    key = read_key(study)
    for code in include:
        if code not in key.raters:
            raise InputError(f"--include {code}: this study has {', '.join(key.raters)}")
    refused: list[str] = []
    notes: list[str] = []
    sent = _read(files, key, refused, notes)
    sink: RatingSink | ComparisonSink = (
        RatingSink(study, key) if key.form == "rating" else ComparisonSink(study, key)
    )
    with sink:
        imported = []
        for answers in sent:
            quality = assess(key, answers)
            reasons = () if answers.rater in include else tuple(quality.excluded())
            if reasons:
                imported.append(ImportedRater(answers, quality, left_out=reasons))
                if answers.rater in sink.raters:
                    notes.append(f"{answers.rater}: answers that were taken in before stay in")
                continue
            other = sink.changed(answers)
            if other and not replace:
                refused.append(
                    f"{answers.file}: {other} answers of rater {answers.rater} differ "
                    "from those taken in before: compare the files, then give --replace to let these count"
                )
                continue
            imported.append(ImportedRater(answers, quality, *sink.keep(answers)))
        notes += sink.notes
    here = {answers.rater for answers in sent} | sink.raters
    return ImportedStudy(
        tuple(imported), tuple(refused), tuple(code for code in key.raters if code not in here), tuple(notes)
    )


def _read(files: Sequence[Path], key: StudyKey, refused: list[str], notes: list[str]) -> list[SentAnswers]:
    """Returns the files that can be used, one per rater: of several the fullest, if it holds the rest."""
    of: dict[str, list[SentAnswers]] = {}
    for path in dict.fromkeys(files):
        try:
            answers = read_answers(path, key)
        except InputError as error:
            refused.append(str(error))
            continue
        of.setdefault(answers.rater, []).append(answers)
    kept = []
    for code, several in sorted(of.items(), key=lambda entry: list(key.raters).index(entry[0])):
        fullest = max(several, key=lambda answers: (len(answers.given), answers.saved))
        others = [answers for answers in several if answers is not fullest]
        unlike = next(
            (answers for answers in others if not answers.given.items() <= fullest.given.items()), None
        )
        if unlike is not None:
            many = sum(fullest.given.get(place) != value for place, value in unlike.given.items())
            refused.append(
                f"{unlike.file} and {fullest.file}: both are of rater {code} and differ in {many} answers: "
                "ask which one counts, and give that one alone"
            )
            continue
        notes += [
            f"{answers.file}: adds nothing to {fullest.file}, which is of rater {code} too: not counted twice"
            for answers in others
        ]
        kept.append(fullest)
    return kept
