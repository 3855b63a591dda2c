"""The six text filters of MIRROR (Kim et al. 2025): the paper's limits, with a definition of what counts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from mirror_bench.data.checks.filters import Case, FilterFinding, TextFilter, quote
from mirror_bench.data.checks.pos_tags import equal_runs
from mirror_bench.data.checks.response_failures import find_failure
from mirror_bench.schema import Profile
from mirror_bench.text import plain_sentences, words_of

_PROSE = (
    "about",
    "family",
    "personality",
    "presenting_problem",
    "history",
    "reason_for_seeking",
    "distorted_thought",
    "would_leave",
    "cbt_plan",
)


def text_filters() -> tuple[TextFilter, ...]:
    """Returns the six filters with the paper's limits."""
    return (
        turn_count(),
        speaker_count(),
        repeated_words(),
        part_of_speech_runs(),
        response_failure(),
        copied_sentence(),
    )


def turn_count(least: int = 4, most: int = 20) -> TextFilter:
    """Bounds the number of exchanges: a turn of one speaker and the other's answer.

    Lines of one speaker in a row are one turn, and a turn that nobody answers does not count.
    """

    def check(case: Case) -> Iterator[FilterFinding]:
        lines = case.play.lines
        exchanges = sum(1 for _ in groupby(lines, key=lambda line: line.speaker)) // 2
        if not least <= exchanges <= most:
            ends = f"; it ends on {quote(lines[-1].words)}" if lines else ""
            yield FilterFinding(0, f"{exchanges} exchanges{ends}")

    return TextFilter("turns", f"{least} to {most} exchanges", check)


def speaker_count(most: int = 2) -> TextFilter:
    """Bounds the number of speakers, strangers to the therapist and the client among them."""

    def check(case: Case) -> Iterator[FilterFinding]:
        speakers = (*dict.fromkeys(line.speaker.value for line in case.play.lines), *case.strangers)
        if len(speakers) > most:
            place, said = _first_words_of(case)
            yield FilterFinding(place, f"{len(speakers)} speakers ({', '.join(speakers)[:200]}){said}")

    return TextFilter("speakers", f"at most {most} speakers", check)


def repeated_words(under: float = 0.5, least_words: int = 8) -> TextFilter:
    """Bounds the share of an utterance's words that stood in it before.

    Utterances of fewer than `least_words` words are left alone: "No. No, no." is how people talk.
    """

    def check(case: Case) -> Iterator[FilterFinding]:
        for number, line in enumerate(case.play.lines, start=1):
            words = words_of(line.words)
            repeated = len(words) - len(set(words))
            if len(words) >= least_words and repeated / len(words) >= under:
                yield FilterFinding(number, f"{repeated} of {len(words)} words repeated: {quote(line.words)}")

    asks = f"under {under:.0%} repeated words in an utterance (of {least_words} words or more)"
    return TextFilter("repeated words", asks, check)


def part_of_speech_runs(most: int = 3) -> TextFilter:
    """Bounds the number of neighbouring words that are all of one part of speech, as in word salad.

    A mark of punctuation ends a run. The parts of speech are those of `pos_tags`.
    """

    def check(case: Case) -> Iterator[FilterFinding]:
        for number, line in enumerate(case.play.lines, start=1):
            for run in equal_runs(line.words, most + 1):
                what = f"{len(run.words)} words in a row are {run.tag}, {quote(' '.join(run.words))}"
                yield FilterFinding(number, f"{what}: {quote(line.words, ' '.join(run.words))}")

    return TextFilter("parts of speech", f"at most {most} equal parts of speech in a row", check)


def response_failure() -> TextFilter:
    """Finds refusals, empty utterances, remnants of speakers' labels and artefacts of models."""

    def check(case: Case) -> Iterator[FilterFinding]:
        for number, line in enumerate(case.play.lines, start=1):
            if failure := find_failure(line):
                text = " ".join((*(f"[{direction}]" for direction in line.directions), line.words))
                kind = f"{failure.kind}, {quote(failure.quote)}" if failure.quote else failure.kind
                yield FilterFinding(number, f"{kind}: {quote(text, failure.quote)}")

    asks = "no refusal, empty utterance, remnant of a label or artefact of a model"
    return TextFilter("response failure", asks, check)


def copied_sentence(least_words: int = 6) -> TextFilter:
    """Finds utterances that hold a sentence of the profile or the plan, or are a part of one.

    Letter case and punctuation do not count. Sentences of fewer than `least_words` words agree by chance. The
    lines of the client's voice are no part of the description, and are not looked at.
    """

    def long_sentences(text: str) -> list[str]:
        return [_joined(words) for s in plain_sentences(text) if len(words := words_of(s)) >= least_words]

    def check(case: Case) -> Iterator[FilterFinding]:
        texts = dict(_prose(case.profile))
        wholes = {field: _joined(words_of(text)) for field, text in texts.items()}
        parts = {part: field for field, text in texts.items() for part in long_sentences(text)}
        for number, line in enumerate(case.play.lines, start=1):
            said = _joined(words_of(line.words))
            found = [field for part, field in parts.items() if part in said] or [
                field
                for part in long_sentences(line.words)
                for field, whole in wholes.items()
                if part in whole
            ]
            if found:
                yield FilterFinding(number, f"copied from {found[0].replace('_', ' ')}: {quote(line.words)}")

    asks = f"no sentence (of {least_words} words or more) copied from the profile or the plan"
    return TextFilter("copied sentence", asks, check)


def _first_words_of(case: Case) -> tuple[int, str]:
    """Returns where a stranger is heard first: the parser keeps an unknown label with the words behind it."""
    for number, line in enumerate(case.play.lines, start=1):
        for label in case.strangers:
            if f"{label}:" in line.words:
                return number, f": {quote(line.words, f'{label}:')}"
    return 0, ""


def _prose(profile: Profile) -> Iterator[tuple[str, str]]:
    """Yields the name and the text of every field that holds sentences."""
    for field in _PROSE:
        yield field, getattr(profile, field)
    yield "guarded", "\n".join(profile.guarded)
    if profile.crisis is not None:
        yield "crisis", f"{profile.crisis.disclosure}\n{profile.crisis.owed}"


def _joined(words: list[str]) -> str:
    """Returns words with a blank on both sides of each, so that one text in another is whole words of it."""
    return f" {' '.join(words)} "
