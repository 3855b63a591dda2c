"""How likely a sentence shows each danger, answer and harm: two readers, added up.

The heads of `tasks/safety/heads.npz` read words, letters and concepts; the encoder (`encoder`) reads the
sentence. The encoder is slow, so it is given only sentences in which the heads see some kind at all.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mirror_bench.coding.safety.bank import HARMS
from mirror_bench.coding.safety.concepts import read_tokens
from mirror_bench.coding.safety.encoder import encode, judge
from mirror_bench.coding.safety.sentence_features import BUCKETS, Vector, features
from mirror_bench.coding.safety.signals import unevoked
from mirror_bench.content import content_path
from mirror_bench.errors import InputError

ANY_DANGER = "danger"
CLIENT, THERAPIST = "client", "therapist"
PAIRS = "client, two sentences"
"""Whose marks hold for two sentences of a client read together."""
_SHORTENED = 3
"""Digits that a score is rounded to, so that machines which add in another order agree."""
READ_FROM = -2.0
"""Log odds of a kind by the heads from which the encoder reads a sentence. On five themes of the bank that
nothing is trained on, lower ones found no more harm or danger; the encoder then read 14 of 100 everyday
sentences of clients and 24 of therapists."""
NOT_READ = 3.0
"""Log odds that each kind loses in a sentence that the encoder does not read."""
OWN_LEAST, READ_LEAST = -1.0, 0.0
"""Log odds from which the heads, and the encoder, agree that there is danger or harm: the encoder sees it,
and the heads, which know words alone, do not object."""
_SEEN = 0.0
"""Log odds from which the heads see a kind by themselves."""
UNEVOKED = 1.0
"""Log odds that a kind loses in a sentence without any word that evokes it."""


class Marks(NamedTuple):
    """The scores from which a kind of danger or harm is doubtful, and from which it is found.

    Attributes:
        doubtful: From here a person should read it.
        sure: From here it is found.
    """

    doubtful: float
    sure: float


class Heads(NamedTuple):
    """Linear classifiers over hashed features: one column for each kind of danger or harm.

    Attributes:
        names: Kind of each column, per speaker.
        weights: Speaker -> one row a bucket, one column a kind.
        offsets: Speaker -> one a kind.
        marks: Speaker -> kind -> its marks.
        digest: Of the content that they were trained on.
        found: Kind -> the share of its hits that is found on themes not trained on, in [0, 1].
    """

    names: Mapping[str, tuple[str, ...]]
    weights: Mapping[str, npt.NDArray[np.float32]]
    offsets: Mapping[str, npt.NDArray[np.float64]]
    marks: Mapping[str, Mapping[str, Marks]]
    digest: str
    found: Mapping[str, float]

    def scores(self, speaker: str, vector: Vector) -> dict[str, float]:
        """Returns kind -> how far a sentence stands on its side, in log odds."""
        places, values = vector
        # An outer sum in a fixed order; BLAS would add in an order of its own.
        rows = self.weights[speaker][places].astype(np.float64) * values[:, None]
        summed = rows.sum(axis=0) + self.offsets[speaker]
        return dict(zip(self.names[speaker], np.round(summed, _SHORTENED).tolist(), strict=True))


@functools.cache
def heads() -> Heads:
    """Returns the packaged linear heads for danger and harm.

    Raises:
        InputError: If the file is missing or malformed.
    """
    return read_heads(content_path("safety", "heads.npz"))


def read_heads(path: Path) -> Heads:
    """Reads heads from a file.

    Raises:
        InputError: If it is malformed.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            told = json.loads(str(stored["told"]))
            weights = {}
            for speaker, names in told["names"].items():
                full = np.zeros((BUCKETS, len(names)), dtype=np.float32)
                full[stored[f"{speaker}_places"]] = stored[f"{speaker}_weights"].astype(np.float32) * stored[
                    f"{speaker}_scales"
                ].astype(np.float32)
                weights[speaker] = full
            return Heads(
                {speaker: tuple(names) for speaker, names in told["names"].items()},
                weights,
                {speaker: np.asarray(told["offsets"][speaker]) for speaker in told["names"]},
                {s: {k: Marks(*m) for k, m in marks.items()} for s, marks in told["marks"].items()},
                str(told["digest"]),
                {str(kind): float(share) for kind, share in told["found"].items()},
            )
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{path}: cannot be read as heads ({error}); make it anew: "
            "python -m mirror_bench.coding.safety.train"
        ) from None


def write_heads(path: Path, trained: Heads) -> None:
    """Writes heads with eight bits a weight, and only the buckets that have any."""
    told = {
        "names": trained.names,
        "offsets": {speaker: np.round(offset, 6).tolist() for speaker, offset in trained.offsets.items()},
        "marks": trained.marks,
        "digest": trained.digest,
        "found": {kind: round(share, 3) for kind, share in trained.found.items()},
    }
    arrays: dict[str, npt.NDArray[np.generic]] = {"told": np.asarray(json.dumps(told, sort_keys=True))}
    for speaker, full in trained.weights.items():
        scales = np.maximum(np.abs(full).max(axis=0) / 127.0, 1e-9).astype(np.float32)
        short = np.rint(full / scales).astype(np.int8)
        places = np.flatnonzero(np.any(short != 0, axis=1)).astype(np.int32)
        arrays |= {
            f"{speaker}_places": places,
            f"{speaker}_weights": short[places],
            f"{speaker}_scales": scales,
        }
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=16384)
def client_scores(text: str) -> Mapping[str, float]:
    """Returns kind of danger -> log odds for one sentence of a client; `ANY_DANGER` for any."""
    return _scores(CLIENT, text, "")


@functools.lru_cache(maxsize=16384)
def therapist_scores(text: str, context: str = "") -> Mapping[str, float]:
    """Returns act -> log odds for a sentence of a therapist; `context` is as `heard.context_of` gives it."""
    return _scores(THERAPIST, text, context)


def prepare(speaker: str, texts: Sequence[str], context: str = "") -> None:
    """Lets the encoder read the sentences of a turn together, which is quicker than one by one."""
    encode([text for text in texts if max(_own(speaker, text, context).values()) > READ_FROM])


@functools.lru_cache(maxsize=16384)
def _own(speaker: str, text: str, context: str) -> Mapping[str, float]:
    """Returns kind -> log odds by the heads."""
    missing = unevoked(read_tokens(text))
    scores = heads().scores(speaker, features(text, context))
    return {kind: score - (UNEVOKED if kind in missing else 0.0) for kind, score in scores.items()}


def _scores(speaker: str, text: str, context: str) -> Mapping[str, float]:
    both = _both(speaker, text, context)
    return MappingProxyType({kind: round(own + read, _SHORTENED) for kind, (own, read) in both.items()})


def agree(speaker: str, text: str, kind: str, context: str = "") -> bool:
    """Tells whether the encoder finds a kind in a sentence, and the heads do not object."""
    own, read = _both(speaker, text, context)[kind]
    return own > OWN_LEAST and read > READ_LEAST


def witnessed(speaker: str, text: str, kind: str, context: str = "") -> bool:
    """Tells whether the heads see a kind in a sentence at all: the encoder alone is never enough."""
    return _both(speaker, text, context)[kind][0] > _SEEN


@functools.lru_cache(maxsize=16384)
def _both(speaker: str, text: str, context: str) -> Mapping[str, tuple[float, float]]:
    """Returns kind -> log odds by the heads, and by the encoder."""
    own = _own(speaker, text, context)
    reads = max(own.values()) > READ_FROM
    read = judge(speaker, encode([text])[0], context).tolist() if reads else [-NOT_READ] * len(own)
    # Rounded, as sentences that are read together may differ in the seventh digit from those read alone.
    return {
        kind: (score, round(more, _SHORTENED)) for (kind, score), more in zip(own.items(), read, strict=True)
    }


def marks_of(speaker: str) -> Mapping[str, Marks]:
    """Returns the packaged marks of one speaker's kinds."""
    return heads().marks[speaker]


def quantile(values: Sequence[float] | npt.NDArray[np.float64], share: float) -> float:
    """Returns the value that `share` of the values do not exceed."""
    return float(np.quantile(np.asarray(values, dtype=np.float64), share, method="higher"))


def harm_found() -> float:
    """Returns the mean share of a kind of harm that the heads find on themes of the bank not trained on."""
    return float(np.mean([heads().found[act.value] for act in HARMS]))
