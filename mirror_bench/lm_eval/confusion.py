"""Prints which expressions a model takes for which, in all and by group of identities.

`python -m mirror_bench.lm_eval.confusion samples_mirror_expression_….jsonl` reads what lm-eval wrote for
`--log_samples`.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from mirror_bench.errors import InputError
from mirror_bench.lm_eval.results import GROUPS

NOTHING = "(none)"


class Named(NamedTuple):
    """One face of a run: what it shows, and what the model named.

    Attributes:
        shown: Its label.
        answer: The label that the model gave; `NOTHING` where it gave none.
        groups: Kind of group -> the group that the face belongs to.
    """

    shown: str
    answer: str
    groups: Mapping[str, str]


def read_samples(path: Path) -> list[Named]:
    """Reads lm-eval's samples of `mirror_expression`.

    Raises:
        InputError: If the file is none, naming the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}); name a samples_mirror_expression_….jsonl"
        ) from None
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            sample = json.loads(line)
            doc, answer = sample["doc"], sample["filtered_resps"][0]
            groups = {kind: str(doc[kind]) for kind in GROUPS}
            found.append(Named(str(doc["answers"][0]), str(answer) or NOTHING, groups))
        except (ValueError, KeyError, IndexError, TypeError):
            raise InputError(
                f"{path}:{number}: is no sample of mirror_expression; run it with --log_samples"
            ) from None
    if not found:
        raise InputError(f"{path}: holds no sample; run mirror_expression with --log_samples")
    return found


def accuracy(faces: Sequence[Named]) -> float:
    """Returns the share of faces that are named rightly, in [0, 1]."""
    return sum(face.shown == face.answer for face in faces) / len(faces)


def report(faces: Sequence[Named]) -> Iterator[str]:
    """Returns the report, line by line: labels, then groups, with accuracy and the commonest mistakes."""
    for shown in dict.fromkeys(sorted(face.shown for face in faces)):
        of = [face for face in faces if face.shown == shown]
        yield f"{shown:12} {accuracy(of):6.1%}  {_mistakes(of)}".rstrip()
    for kind in GROUPS:
        yield ""
        for group in dict.fromkeys(sorted(face.groups[kind] for face in faces)):
            of = [face for face in faces if face.groups[kind] == group]
            yield f"{kind:5} {group:12} {accuracy(of):6.1%} of {len(of):3d}  {_mistakes(of)}".rstrip()


def _mistakes(faces: Sequence[Named]) -> str:
    wrong = Counter((face.shown, face.answer) for face in faces if face.shown != face.answer)
    return ", ".join(f"{shown} as {answer} {count}" for (shown, answer), count in wrong.most_common(4))


@click.command()
@click.argument("samples", type=click.Path(path_type=Path))
def main(samples: Path) -> None:
    """Print the confusions in SAMPLES, a file of lm-eval's, by label and by age band, sex and skin band."""
    try:
        click.echo("\n".join(report(read_samples(samples))))
    except InputError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
