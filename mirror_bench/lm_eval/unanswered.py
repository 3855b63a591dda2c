"""Documents that an engine refuses: left out of the metrics and counted, not the end of the evaluation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mirror_bench.errors import InputError

if TYPE_CHECKING:
    from lm_eval.api.instance import Instance

_LONGEST_REASON = 300


class Unanswered(NamedTuple):
    """How many documents of one task the model did not answer, and why.

    Attributes:
        documents: The documents that were not answered, of `of` that were asked about.
        reason: The commonest reason.
    """

    documents: tuple[int, ...]
    of: int
    reason: str

    @property
    def line(self) -> str:
        """The same in words."""
        return f"{len(self.documents)} of {self.of} documents were not answered ({self.reason})"


class _Place(NamedTuple):
    task: str
    document: int
    kind: str
    request: int
    repeat: int


class FirstPass:
    """What every request of an evaluation came to, so that it is evaluated again without what was refused.

    lm-eval cannot leave out a document once it has begun. So a first pass asks everything and notes what was
    refused; where something was, a second pass evaluates the other documents from what was answered.
    """

    def __init__(self) -> None:
        self._results: dict[_Place, Any] = {}
        self._refused: dict[str, dict[int, str]] = defaultdict(dict)
        self._asked: dict[str, set[int]] = defaultdict(set)
        self._kept: Mapping[str, Sequence[int]] | None = None

    @property
    def lacking(self) -> dict[str, Unanswered]:
        """Task -> what is lacking of it; only tasks of which something is."""
        return {
            task: Unanswered(
                tuple(sorted(reasons)),
                len(self._asked[task]),
                Counter(reasons.values()).most_common(1)[0][0][:_LONGEST_REASON],
            )
            for task, reasons in self._refused.items()
        }

    def keep(self, kind: str, requests: Sequence[Instance], results: Sequence[Any]) -> None:
        """Notes what requests of one kind came to; an error stands for what was refused."""
        for place, result in zip(self._places(kind, requests), results, strict=True):
            self._asked[place.task].add(place.document)
            if isinstance(result, Exception):
                self._refused[place.task].setdefault(place.document, str(result))
            else:
                self._results[place] = result

    def answered(self) -> dict[str, list[int]]:
        """Returns task -> the documents of the second pass, in order; only tasks of which something is left.

        Raises:
            InputError: If nothing was answered at all.
        """
        kept = {
            task: sorted(asked - self._refused.get(task, {}).keys()) for task, asked in self._asked.items()
        }
        kept = {task: documents for task, documents in kept.items() if documents}
        if not kept:
            task, lacking = next(iter(self.lacking.items()))
            raise InputError(f"{task}: no document was answered: {lacking.reason}")
        self._kept = kept
        return kept

    def recall(self, kind: str, requests: Sequence[Instance]) -> list[Any] | None:
        """Returns the results of requests again, in the second pass; None in the first."""
        if self._kept is None:
            return None
        return [self._results[place] for place in self._places(kind, requests)]

    def _places(self, kind: str, requests: Sequence[Instance]) -> Iterator[_Place]:
        seen: Counter[tuple[str, int, int]] = Counter()
        for one in requests:
            task, document, number = str(one.task_name), int(one.doc_id), int(one.idx)
            if self._kept is not None:  # lm-eval numbers the documents that are left anew
                document = self._kept[task][document]
            # An instance stands once for every answer that is to be drawn.
            repeat = seen[task, document, number]
            seen[task, document, number] += 1
            yield _Place(task, document, kind, number, repeat)
