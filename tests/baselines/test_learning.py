from typing import Any

import pytest
import torch

from baselines.architecture import ModelSize, make_model, make_processor, template_texts
from baselines.learning import Learner, Optimiser, _same_beginning, cosine

SMALL = ModelSize(vision_width=32, vision_layers=1, text_width=32, text_layers=2, heads=2, vocabulary=400)


@pytest.fixture(scope="module")
def model() -> Any:
    return make_model(make_processor(template_texts(), SMALL), SMALL)


def test_a_beginning_shared_by_all_rows_is_found_up_to_the_first_difference_or_image() -> None:
    image = 3
    ids = torch.arange(100, 200).repeat(3, 1)
    ids[1, 60] = 7
    assert _same_beginning(ids, image) == 60
    ids[:, 40] = image
    assert _same_beginning(ids, image) == 40
    ids[2, 5] = 7
    assert _same_beginning(ids, image) == 0


def test_computing_the_beginning_once_changes_no_state_and_no_gradient(model: Any) -> None:
    learner = Learner.__new__(Learner)
    learner.model = model
    ids = torch.randint(10, 300, (4, 90), generator=torch.Generator().manual_seed(0))
    ids[:, :50] = ids[:1, :50]
    weight = model.model.text_model.layers[0].self_attn.k_proj.weight
    results = []
    for same in (0, 50):
        hidden = learner._hidden(model.get_input_embeddings()(ids), same)[:, 50 - same :]
        model.zero_grad()
        hidden.square().sum().backward()
        results.append((hidden.detach(), weight.grad.clone()))
    assert torch.allclose(results[0][0], results[1][0], atol=1e-4)
    assert torch.allclose(
        results[0][1], results[1][1], rtol=1e-2, atol=1e-2 * float(results[0][1].abs().max())
    )


def test_both_optimisers_follow_the_gradient(model: Any) -> None:
    optimiser = Optimiser([model.model.text_model], 1e-2, 1e-2)
    ids = torch.arange(20, 60).repeat(2, 1)
    losses = []
    for _ in range(12):
        loss = model(input_ids=ids, labels=ids).loss
        losses.append(float(loss.detach()))
        optimiser.step(loss, 1.0)
    assert losses[-1] < 0.5 * losses[0]


def test_the_learning_rate_rises_and_falls() -> None:
    shares = [cosine(step / 100, 0.05, 0.02) for step in range(101)]
    assert shares[0] < 0.05
    assert max(shares) == pytest.approx(1.0, abs=0.01)
    assert shares[-1] == pytest.approx(0.02, abs=0.001)
    assert shares[10:] == sorted(shares[10:], reverse=True)
