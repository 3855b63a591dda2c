"""The reference learns to speak: LoRA on the language model's layers, while the eyes stay as they are.

The weights that are trained are kept in float32 beside the ones that are computed with: bfloat16 on a GPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from baselines.corpus import IGNORED, TokenSequence
from baselines.learning import CLIP, Curve
from baselines.recipe import SpeechPart
from baselines.smol.curriculum import Curriculum, StepExamples, as_seen
from baselines.smol.eyes import keep

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
KEEP_EVERY = 5
"""Steps between two states that a training goes on from."""


class SpeechTrainer:
    """Trains LoRA adapters of the language model on sequences with faces.

    Args:
        model: The base, a `LlamaForCausalLM`.
        image: Id of the image token.
        pad: Id of the padding token.
        part: Rank and learning rate.
        seed: Of the adapter's weights.
        device: Where it is computed.
    """

    def __init__(
        self, model: Any, image: int, pad: int, part: SpeechPart, seed: int, device: str = ""
    ) -> None:
        from peft import LoraConfig, get_peft_model

        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._part = part
        self._image, self._pad = image, pad
        torch.manual_seed(seed)
        config = LoraConfig(
            r=part.rank,
            lora_alpha=part.alpha,
            target_modules=list(TARGETS),
            layers_to_transform=adapted(part, model.config.num_hidden_layers),
            layers_pattern="layers",
        )
        model = model.to(computed_in(self.device))
        self.model = get_peft_model(model, config, autocast_adapter_dtype=False).to(self.device)
        self.named = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        # The learnt weights in float32; what is computed with are copies of them.
        self.master = {name: p.detach().float().clone() for name, p in self.named.items()}
        self.forget_gradients()

    def forget_gradients(self) -> None:
        """Begins the optimiser's averages of gradients anew: those of sessions say little of practice."""
        self._optimiser = torch.optim.AdamW(
            list(self.master.values()), lr=self._part.learning_rate, betas=(0.9, 0.98), weight_decay=0.0
        )

    def step(self, examples: StepExamples, tokens: Tensor, factor: float) -> float:
        """Learns one step and returns its loss.

        Args:
            examples: What is learnt.
            tokens: (faces, tokens, width): the image tokens of its faces.
            factor: Of the learning rate.
        """
        total = sum(_weight(sequence) for group in examples.groups for sequence in group)
        value = 0.0
        for group in examples.groups:
            loss = self._loss(group, tokens) / total
            loss.backward()
            value += float(loss.detach())
        for name, parameter in self.named.items():
            self.master[name].grad = parameter.grad.float()
            parameter.grad = None
        nn.utils.clip_grad_norm_(list(self.master.values()), CLIP)
        for group in self._optimiser.param_groups:
            group["lr"] = self._part.learning_rate * factor
        self._optimiser.step()
        self._copy()
        return value

    def loss(self, examples: StepExamples, tokens: Tensor) -> float:
        """Returns the loss without learning."""
        total = sum(_weight(sequence) for group in examples.groups for sequence in group)
        with torch.no_grad():
            return sum(float(self._loss(group, tokens)) for group in examples.groups) / total

    def state(self) -> dict[str, Any]:
        """Returns what a training goes on from."""
        return {"master": self.master, "optimiser": self._optimiser.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Goes on from what `state` returned."""
        for name, value in state["master"].items():
            self.master[name].copy_(value)
        self._optimiser.load_state_dict(state["optimiser"])
        self._copy()

    def _copy(self) -> None:
        with torch.no_grad():
            for name, parameter in self.named.items():
                parameter.copy_(self.master[name])

    def _loss(self, group: Sequence[TokenSequence], tokens: Tensor) -> Tensor:
        """Returns the summed weighted loss of the learnt tokens.

        No mask: attention is causal and the padding is on the right, so nothing learnt ever looks at it.
        """
        longest = max(len(sequence.ids) for sequence in group)
        ids = torch.full((len(group), longest), self._pad)
        labels = torch.full((len(group), longest), IGNORED)
        weights = torch.ones((len(group), longest))
        for row, sequence in enumerate(group):
            ids[row, : len(sequence.ids)] = torch.tensor(sequence.ids)
            labels[row, : len(sequence.ids)] = torch.tensor(sequence.labels)
            weights[row, : len(sequence.ids)] = torch.tensor(sequence.weights)
        ids, labels, weights = (each.to(self.device) for each in (ids, labels, weights))
        whole = self.model.base_model.model
        embedded = whole.model.embed_tokens(ids)
        faces = [face for sequence in group for face in sequence.faces]
        if faces:
            seen = tokens[faces].to(self.device, embedded.dtype)
            embedded = embedded.masked_scatter((ids == self._image)[..., None], seen)
        hidden = whole.model(inputs_embeds=embedded, use_cache=False).last_hidden_state
        targets = labels[:, 1:]
        learnt = targets != IGNORED
        scores = whole.lm_head(hidden[:, :-1][learnt]).float()
        losses = nn.functional.cross_entropy(scores, targets[learnt], reduction="none")
        return (losses * weights[:, 1:][learnt]).sum()


def adapted(part: SpeechPart, layers: int) -> list[int]:
    """Returns the layers that the adapter changes: those below `part.lowest` stay as they were."""
    return list(range(min(part.lowest, layers - 1), layers))


def computed_in(device: str) -> torch.dtype:
    """Returns the arithmetic that a device is fast in; a CPU without matrix units is so in float32."""
    return torch.float32 if device == "cpu" else torch.bfloat16


def learn_to_speak(
    speaker: SpeechTrainer,
    curriculum: Curriculum,
    targets: Tensor,
    state: Path | None,
    say: Callable[[str, int, int, str], Any],
    most: int = 0,
) -> Curve:
    """Trains the language model, going on from `state` where it holds a state of this very training.

    Args:
        speaker: What is trained.
        curriculum: What it learns.
        targets: (looks, tokens, width): what the eyes say of each look, from `eyes.word_targets`.
        state: Where the training's state is kept; None keeps none.
        say: Called with the phase, the step, the number of steps, and figures in words.
        most: Stops after so many steps; 0 for all.
    """
    curve, first, start = Curve(), 0, time.monotonic()
    if state is not None and state.is_file():
        kept = torch.load(state, weights_only=False)
        first, curve = kept["step"], kept["curve"]
        speaker.restore(kept["speaker"])
    before = curve.seconds
    last = min(most or curriculum.steps, curriculum.steps)
    for step in range(first, last):
        examples = curriculum.step(step)
        if step == curriculum.practice_from:
            speaker.forget_gradients()
        seen = as_seen(targets, examples.looks, examples.seed)
        curve.add(speaking=speaker.step(examples, seen, curriculum.rate(step)))
        curve.seconds = before + time.monotonic() - start
        done = step + 1
        if done % 5 == 0 or done == last:
            each = (curve.seconds - before) / (done - first)
            left = f"{each * (last - done) / 60:.0f} min left"
            say("speech", done, last, f"loss {curve.recent('speaking', 10):.3f}, {left}")
        if state is not None and (done % KEEP_EVERY == 0 or done == last):
            keep(state, {"step": done, "curve": curve, "speaker": speaker.state()})
    return curve


def _weight(sequence: TokenSequence) -> float:
    return sum(
        weight for weight, label in zip(sequence.weights, sequence.labels, strict=True) if label != IGNORED
    )
