"""Single turns as a training set, and their reward, in TRL's own GRPO trainer too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from small_base import save_small_base

from mirror_bench.errors import InputError
from mirror_bench.training.train_split import training_scenarios
from mirror_bench.training.turns import TurnReward, turn_rows

LISTENS = "You feel torn about it. What would you like to come of this, if it were up to you?"
PRESSES = "You should just call her today. It is easy, everyone does it, so stop worrying and do it."


def test_a_reply_that_listens_is_worth_more_than_one_that_presses() -> None:
    row = turn_rows(training_scenarios(limit=1))[3]
    assert [turn["role"] for turn in row["prompt"]][:2] == ["system", "user"]
    assert "face" not in row["prompt"][0]["content"]
    completions = [LISTENS, [{"role": "assistant", "content": PRESSES}], LISTENS]
    columns = {"scenario": [row["scenario"]] * 3, "said": [row["said"]] * 3}
    listening, pressing, again = TurnReward()([row["prompt"]] * 3, completions, **columns, trainer_state=None)
    assert listening > pressing
    assert listening == again


def test_rows_with_images_hold_a_picture_for_each_place() -> None:
    rows = turn_rows(training_scenarios(limit=1), images=True)
    for row in rows[:3]:
        parts = [part for turn in row["prompt"] if turn["role"] == "user" for part in turn["content"]]
        assert len(row["images"]) == sum(part["type"] == "image" for part in parts) > 0


def test_what_a_reward_cannot_use_is_told() -> None:
    row = turn_rows(training_scenarios(limit=1))[0]
    reward = TurnReward()
    with pytest.raises(InputError, match="need as many values of the columns scenario and said"):
        reward([row["prompt"]], [LISTENS])
    with pytest.raises(InputError, match="neither a text nor a list of messages"):
        reward([row["prompt"]], [7], scenario=[row["scenario"]], said=[[]])
    with pytest.raises(InputError, match="has no profile 'nobody'"):
        reward([row["prompt"]], [LISTENS], scenario=["nobody:none:0:matched"], said=[[]])


_GRPO = """
import json, sys, warnings
warnings.simplefilter("ignore")
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer
from mirror_bench.training.train_split import training_scenarios
from mirror_bench.training.turns import TurnReward, turn_rows

folder = sys.argv[1]
words = AutoTokenizer.from_pretrained(folder)
words.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\\n{% endfor %}assistant:"
settings = GRPOConfig(
    output_dir=folder + "/grpo", max_steps=1, per_device_train_batch_size=2, num_generations=2,
    max_completion_length=8, report_to="none", use_cpu=True, bf16=False, logging_steps=1, save_strategy="no",
    disable_tqdm=True, gradient_checkpointing=False,
)
rows = Dataset.from_list(turn_rows(training_scenarios(limit=1))[:2])
model = AutoModelForCausalLM.from_pretrained(folder)
trainer = GRPOTrainer(model, TurnReward(), settings, rows, processing_class=words)
trainer.train()
print(json.dumps([one for one in trainer.state.log_history if "reward" in one]))
"""


@pytest.mark.slow
def test_trl_trains_on_it(tmp_path: Path) -> None:
    pytest.importorskip("trl")
    base = save_small_base(tmp_path / "base")
    done = subprocess.run([sys.executable, "-c", _GRPO, str(base)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2_000:]
    (logged,) = json.loads(done.stdout.strip().splitlines()[-1])
    assert logged["rewards/mirror_bench_turn_reward/mean"] == pytest.approx(logged["reward"])
