"""The two phases of training: first the eyes, then everything."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.corpus import IGNORED, Corpus, TokenSequence
from baselines.muon import Muon
from baselines.pixels import Pixels, Taken
from baselines.questions import Questions
from baselines.recipe import JointPart, VisionPart

CLIP = 1.0
"""Largest norm of a gradient."""
PLAN_EVERY = 12
"""Every so many steps plans take the conversations' place."""

SHARED = 32
"""Fewest tokens that are worth computing once for all rows of a batch."""

Progress = Callable[[str, int, int, str], Any]
"""Called with the phase, the step, the number of steps, and figures in words."""


@dataclass
class Curve:
    """The losses and accuracy of one phase of training, step by step.

    Attributes:
        losses: Name of a loss -> its value at every step.
        accuracy: Step -> share of held-out faces that the classification head names rightly.
        seconds: How long the phase took.
    """

    losses: dict[str, list[float]] = field(default_factory=dict)
    accuracy: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, **losses: float) -> None:
        """Notes one step."""
        for name, value in losses.items():
            self.losses.setdefault(name, []).append(value)

    def recent(self, name: str, steps: int = 20) -> float:
        """Returns the mean of the last steps."""
        return float(np.mean(self.losses[name][-steps:]))


class Optimiser:
    """Muon for the matrices within the layers, AdamW for everything else: fewer steps than AdamW alone.

    Args:
        parts: The modules to train.
        rate: Learning rate of AdamW.
        matrix_rate: Learning rate of Muon.
    """

    def __init__(self, parts: Sequence[nn.Module], rate: float, matrix_rate: float) -> None:
        named = [entry for part in parts for entry in part.named_parameters()]
        matrices = [p for name, p in named if "layers." in name and p.ndim == 2]
        inside = {id(p) for p in matrices}
        self._parameters = [p for _, p in named]
        self._both = (
            torch.optim.AdamW(
                [p for p in self._parameters if id(p) not in inside],
                lr=rate,
                betas=(0.9, 0.98),
                weight_decay=0.02,
                fused=True,
            ),
            Muon(matrices, lr=matrix_rate),
        )
        self._rates = (rate, matrix_rate)

    def state_dict(self) -> list[Any]:
        """Returns what both optimisers have gathered, to go on from."""
        return [optimiser.state_dict() for optimiser in self._both]

    def load_state_dict(self, state: Sequence[Any]) -> None:
        """Goes on from what `state_dict` returned."""
        for optimiser, kept in zip(self._both, state, strict=True):
            optimiser.load_state_dict(kept)

    def step(self, loss: Tensor, factor: float) -> None:
        """Follows the gradient of `loss`, at both learning rates times `factor`."""
        loss.backward()
        nn.utils.clip_grad_norm_(self._parameters, CLIP)
        for optimiser, rate in zip(self._both, self._rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)


class TrainingHeads(nn.Module):  # type: ignore[misc]
    """What only training knows: heads that read off a face what it counts as, and its signs.

    One pair reads all patches, each at its place, which is learnt soonest. The other reads the mean of the
    image tokens, so that what the language model is given says the same at every token, wherever it looks.

    Args:
        patches: Numbers in all patches of a face.
        token: Numbers in an image token.
        classes: What is told apart.
        signs: How many signs a face has.
    """

    def __init__(self, patches: int, token: int, classes: int, signs: int) -> None:
        super().__init__()
        self.by_place = nn.Linear(patches, classes + signs)
        self.by_token = nn.Linear(token, classes + signs)
        self._classes = classes

    def named(self, tokens: Tensor) -> Tensor:
        """Returns (n, classes) scores off image tokens (n, tokens, width)."""
        return self.by_token(tokens.mean(1))[:, : self._classes]

    def loss(self, patches: Tensor, tokens: Tensor, taken: Taken) -> Tensor:
        """Returns the loss of all four, given patches (n, patches, width) and image tokens."""
        total = torch.zeros(())
        for read in (self.by_place(patches.flatten(1)), self.by_token(tokens.mean(1))):
            total = total + nn.functional.cross_entropy(read[:, : self._classes], taken.labels)
            total = total + nn.functional.mse_loss(read[:, self._classes :], taken.signs)
        return total / 2


class Learner:
    """Trains the reference model in two phases, first its eyes and then everything.

    Args:
        model: The Idefics3 model.
        classes: What is told apart.
        train: Faces to learn from.
        held_out: Faces to measure with.
        progress: Where progress goes.
    """

    def __init__(self, model: Any, classes: int, train: Pixels, held_out: Pixels, progress: Progress) -> None:
        self.model = model
        self._train = train
        self._held_out = held_out
        self._progress = progress
        patches = model.config.vision_config.hidden_size * model.model.vision_model.embeddings.num_patches
        self._heads = TrainingHeads(patches, model.config.text_config.hidden_size, classes, train.signs)

    def learn_to_see(self, part: VisionPart, seed: int) -> Curve:
        """First phase: the vision tower and the connector under the heads.

        Args:
            part: Steps, batch and learning rates.
            seed: Of the order of faces.
        """
        curve, start = Curve(), time.monotonic()
        draw = np.random.default_rng(seed)
        core = self.model.model
        self._train.whiten(core.vision_model)
        eyes = [core.vision_model, core.connector, self._heads]
        optimiser = Optimiser(eyes, part.learning_rate, part.matrix_rate)
        order = np.array([], np.int64)
        for step in range(part.steps):
            while len(order) < part.batch:
                order = np.concatenate([order, draw.permutation(len(self._train))])
            batch, order = order[: part.batch], order[part.batch :]
            taken = self._train.take(batch, augment=True)
            patches = core.vision_model(pixel_values=taken.images).last_hidden_state
            loss = self._heads.loss(patches, core.connector(patches), taken)
            optimiser.step(loss, cosine(step / part.steps, 0.05, 0.05))
            curve.add(seeing=loss.item())
            if (step + 1) % max(1, part.steps // 8) == 0 or step + 1 == part.steps:
                curve.accuracy[step + 1] = self._classified()
                figures = f"loss {curve.recent('seeing'):.3f}, held-out {curve.accuracy[step + 1]:.1%}"
                self._progress("vision", step + 1, part.steps, figures)
        curve.seconds = time.monotonic() - start
        return curve

    def learn_to_speak(self, part: JointPart, corpus: Corpus, questions: Questions | None = None) -> Curve:
        """Second phase: the language model, on conversations, plans and captions; the eyes stay as they are.

        Were they to move with it, what the language model has just learnt to read would change at every step.

        Args:
            part: Steps, batch, learning rates and limits.
            corpus: Where the examples come from.
            questions: Where questions of the static tasks come from, `part.questions` of them at each step.
        """
        curve, start = Curve(), time.monotonic()
        optimiser = Optimiser([self.model.model.text_model], part.learning_rate, part.matrix_rate)
        for step in range(part.steps):
            share = step / part.steps
            plans = step % PLAN_EVERY == 0
            talk = (
                [corpus.plan() for _ in range(part.captions)]
                if plans
                else corpus.conversations(part.replies, 1.0 if share < part.alone_first else part.alone)
            )
            words = self._loss(talk)
            captions = self._loss([corpus.caption() for _ in range(part.captions)])
            asked = self._loss(questions.batch(part.questions)) if questions else torch.zeros(())
            optimiser.step(words + captions + asked, cosine(share, part.warm_up, 0.02))
            if questions:
                curve.add(questions=asked.item())
            curve.add(words=words.item(), captions=captions.item())
            if (step + 1) % max(1, part.steps // 16) == 0 or step + 1 == part.steps:
                figures = ", ".join(f"{name} {curve.recent(name):.3f}" for name in curve.losses)
                self._progress("joint", step + 1, part.steps, figures)
        curve.seconds = time.monotonic() - start
        return curve

    def _loss(self, examples: Sequence[TokenSequence]) -> Tensor:
        """Returns the weighted mean loss of the learnt tokens."""
        batch = _padded(examples, self.model.config.pad_token_id)
        core = self.model.model
        embedded = core.get_input_embeddings()(batch.ids)
        if len(batch.faces):
            taken = self._train.take(batch.faces, augment=True)
            with torch.no_grad():
                images = core.get_image_features(taken.images[:, None], return_dict=True)
            place = (batch.ids == self.model.config.image_token_id)[..., None]
            embedded = embedded.masked_scatter(place, images.pooler_output)
        same = _same_beginning(batch.ids, self.model.config.image_token_id)
        hidden = self._hidden(embedded, same)
        targets = batch.labels[:, same + 1 :]
        learnt = targets != IGNORED  # the vocabulary is wide: score only what is learnt
        scores = self.model.lm_head(hidden[:, :-1][learnt])
        losses = nn.functional.cross_entropy(scores, targets[learnt], reduction="none")
        return (losses * batch.weights[:, same + 1 :][learnt]).mean()

    def _hidden(self, embedded: Tensor, same: int) -> Tensor:
        """Returns the last hidden states after the first `same` places, which all rows share: computed once.

        No mask: attention is causal and the padding is on the right, so nothing learnt ever looks at it.
        """
        text = self.model.model.text_model
        if not same:
            return text(inputs_embeds=embedded, use_cache=False).last_hidden_state
        beginning = text(inputs_embeds=embedded[:1, :same], use_cache=True).past_key_values
        beginning.batch_repeat_interleave(len(embedded))
        rest = text(inputs_embeds=embedded[:, same:], past_key_values=beginning, use_cache=True)
        return rest.last_hidden_state

    def _classified(self) -> float:
        taken = self._held_out.take(np.arange(len(self._held_out)), augment=False)
        with torch.no_grad():
            patches = self.model.model.vision_model(pixel_values=taken.images).last_hidden_state
            named = self._heads.named(self.model.model.connector(patches)).argmax(1)
        return float((named == taken.labels).float().mean())


class _Batch(NamedTuple):
    ids: Tensor
    labels: Tensor
    weights: Tensor
    faces: NDArray[np.int64]


def _padded(examples: Sequence[TokenSequence], pad: int) -> _Batch:
    """Returns examples as one batch, padded on the right; faces in the order of their places."""
    longest = max(len(example.ids) for example in examples)
    ids = torch.full((len(examples), longest), pad)
    labels = torch.full((len(examples), longest), IGNORED)
    weights = torch.ones((len(examples), longest))
    for row, example in enumerate(examples):
        ids[row, : len(example.ids)] = torch.tensor(example.ids)
        labels[row, : len(example.labels)] = torch.tensor(example.labels)
        weights[row, : len(example.weights)] = torch.tensor(example.weights)
    return _Batch(ids, labels, weights, np.array([face for e in examples for face in e.faces], np.int64))


def _same_beginning(ids: Tensor, image: int) -> int:
    """Returns how many places at the beginning hold the same tokens in all rows and no image; 0 if few."""
    differ = (ids != ids[:1]).any(0) | (ids == image).any(0)
    same = int(differ.float().argmax()) if bool(differ.any()) else 0
    return same if same >= SHARED else 0


def cosine(share: float, warm_up: float, floor: float) -> float:
    """Returns the factor of the learning rate at a share of the way: up a line, then down a cosine."""
    if share < warm_up:
        return (share + 1e-3) / (warm_up + 1e-3)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (share - warm_up) / max(1e-9, 1 - warm_up)))
