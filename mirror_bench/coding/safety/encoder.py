"""A small sentence encoder, `tasks/safety/encoder.npz`: a sentence in, the numbers that the heads read out.

It is a public sentence encoder (its licence stands beside the file), fine-tuned on the bank, with eight bits
a weight. It runs in numpy, so that a rater needs neither a framework nor a download.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from mirror_bench.content import content_path
from mirror_bench.errors import InputError

LONGEST = 64
"""Pieces of words of a sentence that are read."""
_WORD = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
_STRAIGHT = str.maketrans("’‘ʼ“”—–…", "'''\"\"--.")
SPEAKERS = ("client", "therapist")
CONTEXTS = ("danger", "means", "seeks", "unreal")
"""What was heard before a therapist's sentence, as `heard.context_of` gives it."""
_HEADS = 12
_TINY = 1e-12
_DAMPED = 0.3
_TOGETHER = 32
_MOST_KEPT = 1 << 15

Array = npt.NDArray[np.float32]


class Encoder(NamedTuple):
    """The small text encoder of safety: its weights, and its own scores of a sentence.

    Attributes:
        pieces: Piece of a word -> its row of "words"; a piece inside a word begins with "##".
        layers: How many layers it has.
        arrays: Name -> weights. "client" and "therapist" are its heads, a column a kind, the last row the
            offsets.
        digest: Of the bank that it was tuned on.
    """

    pieces: Mapping[str, int]
    layers: int
    arrays: Mapping[str, Array]
    digest: str


@functools.cache
def encoder() -> Encoder:
    """Returns the packaged text encoder of safety.

    Raises:
        InputError: If the file is missing or malformed.
    """
    return read_encoder(content_path("safety", "encoder.npz"))


def read_encoder(path: Path) -> Encoder:
    """Reads an encoder from a file.

    Raises:
        InputError: If it is malformed.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            told = json.loads(str(stored["told"]))
            arrays = {}
            for name in told["names"]:
                kept = stored[name]
                if kept.dtype == np.int8:
                    kept = kept.astype(np.float32) * stored[f"{name}.scales"].astype(np.float32)
                arrays[str(name)] = np.ascontiguousarray(kept, dtype=np.float32)
        return Encoder(
            {str(p): i for i, p in enumerate(told["pieces"])},
            int(told["layers"]),
            arrays,
            str(told["digest"]),
        )
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{path}: cannot be read as an encoder ({error}); install mirror-bench anew"
        ) from None


def write_encoder(path: Path, made: Encoder) -> None:
    """Writes an encoder: eight bits a weight for matrices, the rest in half precision."""
    told = {"names": list(made.arrays), "pieces": list(made.pieces), "layers": made.layers}
    told["digest"] = made.digest
    arrays: dict[str, npt.NDArray[np.generic]] = {"told": np.asarray(json.dumps(told))}
    for name, full in made.arrays.items():
        if full.ndim == 2 and name not in SPEAKERS:
            # Words have a scale a row, as they are looked up by row; what is multiplied has one a column.
            axis = 1 if name == "words" else 0
            scales = np.maximum(np.abs(full).max(axis=axis, keepdims=True) / 127.0, 1e-9).astype(np.float32)
            arrays[name] = np.rint(full / scales).astype(np.int8)
            arrays[f"{name}.scales"] = scales
        else:
            arrays[name] = full.astype(np.float16)
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def pieces_of(text: str, known: Mapping[str, int]) -> list[int]:
    """Returns a sentence as the rows of its pieces, between the marks of its beginning and its end."""
    rows = [known["[CLS]"]]
    for word in _WORD.findall(text.translate(_STRAIGHT).lower()):
        rows += _split(word, known)
    return [*rows[: LONGEST - 1], known["[SEP]"]]


def _split(word: str, known: Mapping[str, int]) -> list[int]:
    """Splits a word into the longest known pieces from its beginning; a word that has none is unknown."""
    rows, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            row = known.get(("##" if start else "") + word[start:end])
            if row is not None:
                rows.append(row)
                start = end
                break
        else:
            return [known["[UNK]"]]
    return rows


_kept: dict[str, Array] = {}


def encode(texts: Sequence[str]) -> list[Array]:
    """Returns the numbers of each sentence: the mean and the largest of its pieces, each at one scale.

    Sentences that were read lately are not read again. Those of one turn are best asked for together.
    """
    new = list(dict.fromkeys(text for text in texts if text not in _kept))
    if len(_kept) + len(new) > _MOST_KEPT:
        _kept.clear()
        new = list(dict.fromkeys(texts))
    made = encoder() if new else None
    for begin in range(0, len(new), _TOGETHER):
        some = new[begin : begin + _TOGETHER]
        if made is not None:
            _kept.update(zip(some, run(made, [pieces_of(text, made.pieces) for text in some]), strict=True))
    return [_kept[text] for text in texts]


def run(made: Encoder, sentences: Sequence[Sequence[int]]) -> list[Array]:
    """Returns the numbers of sentences, given as rows of pieces, by an encoder."""
    w = made.arrays
    ends = np.cumsum([len(sentence) for sentence in sentences])
    spans = [slice(end - len(sentence), end) for end, sentence in zip(ends, sentences, strict=True)]
    rows = np.concatenate([np.asarray(sentence) for sentence in sentences])
    places = np.concatenate([np.arange(len(sentence)) for sentence in sentences])
    state = _even(w["words"][rows] + w["places"][places], w["begin.scale"], w["begin.shift"])
    for layer in range(made.layers):
        state = _layer(w, f"{layer}.", state, spans)
    vectors = []
    for span in spans:
        own = state[span]
        both = np.concatenate([_standard(own.mean(axis=0)), _standard(own.max(axis=0))])
        vectors.append(np.asarray(both * np.float32(_DAMPED), dtype=np.float32))
    return vectors


def judge(speaker: str, numbers: Array, context: str = "") -> Array:
    """Returns how far a sentence shows each kind by the encoder's own heads, in log odds.

    Args:
        speaker: Whose sentence: "client" or "therapist".
        numbers: What `encode` gave.
        context: What was heard before, for therapists.
    """
    read = numbers
    if speaker == "therapist":
        held = context.split()
        flags = np.array([float(name in held) for name in CONTEXTS], dtype=np.float32)
        read = np.concatenate([numbers, np.outer(flags, numbers).ravel(), flags])
    head = encoder().arrays[speaker]
    return np.asarray(read @ head[:-1] + head[-1], dtype=np.float32)


def _layer(w: Mapping[str, Array], name: str, state: Array, spans: Sequence[slice]) -> Array:
    width = state.shape[1]
    size = width // _HEADS
    mixed = state @ w[f"{name}mix"] + w[f"{name}mix.shift"]
    heard = np.empty_like(state)
    for span in spans:
        length = span.stop - span.start
        query, key, value = (
            part.reshape(length, _HEADS, size).transpose(1, 0, 2) for part in np.split(mixed[span], 3, axis=1)
        )
        weights = query @ key.transpose(0, 2, 1) / np.float32(np.sqrt(size))
        weights = np.exp(weights - weights.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        heard[span] = (weights @ value).transpose(1, 0, 2).reshape(length, width)
    heard = heard @ w[f"{name}out"] + w[f"{name}out.shift"]
    state = _even(state + heard, w[f"{name}even.scale"], w[f"{name}even.shift"])
    wide = np.asarray(state @ w[f"{name}wide"] + w[f"{name}wide.shift"])
    wide *= np.float32(0.5) * (1 + erf(wide * np.float32(np.sqrt(0.5))))
    return _even(
        state + np.asarray(wide @ w[f"{name}narrow"] + w[f"{name}narrow.shift"]),
        w[f"{name}end.scale"],
        w[f"{name}end.shift"],
    )


def _even(state: Array, scale: Array, shift: Array) -> Array:
    centred = state - state.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(_TINY))
    return np.asarray(centred / spread * scale + shift, dtype=np.float32)


def _standard(numbers: Array) -> Array:
    centred = numbers - numbers.mean()
    return np.asarray(centred / np.sqrt((centred * centred).mean() + np.float32(1e-5)), dtype=np.float32)
