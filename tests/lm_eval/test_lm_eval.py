"""Our engines answer the tasks of lm-eval."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("lm_eval")

from lm_eval import simple_evaluate
from lm_eval.api.instance import Instance
from lm_eval.api.registry import get_model
from lm_eval.tasks import TaskManager

from mirror_bench.engines.base import Answer, Engine, ImagePart, Request
from mirror_bench.engines.scoring import Likelihood
from mirror_bench.errors import EngineDeadError, EngineError, InputError
from mirror_bench.lm_eval.engine_model import EngineLM

pytestmark = pytest.mark.usefixtures("quick_lm_eval")

COLOURS = ("red", "green", "blue", "black")

DATA = """
import datasets
from PIL import Image

COLOURS = {colours!r}

def load(**kwargs):
    rows = [dict(number=n, colour=COLOURS[n % 4], image=Image.new("RGB", (64, 64), COLOURS[n % 4]))
            for n in range({rows})]
    return {{"test": datasets.Dataset.from_list(rows)}}
"""
GENERATE = """
task: tmp_colour_generate
custom_dataset: !function data.load
output_type: generate_until
test_split: test
doc_to_image: [image]
doc_to_text: "<image>Number {{number}}. What colour is this?"
doc_to_target: "{{colour}}"
generation_kwargs: {until: ["\\n"], max_gen_toks: 8}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
metadata: {version: 1.0}
"""
CHOOSE = """
task: tmp_colour_choose
custom_dataset: !function data.load
output_type: multiple_choice
test_split: test
doc_to_image: [image]
doc_to_text: "<image>Number {{number}}. What colour is this?"
doc_to_choice: [red, green, blue, black]
doc_to_target: "{{colour}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
metadata: {version: 1.0}
"""
CHOOSE_TEXT = """
task: tmp_number_choose
custom_dataset: !function data.load
output_type: multiple_choice
test_split: test
doc_to_text: "Is {{number}} even?"
doc_to_choice: ["yes", "no"]
doc_to_target: "{{number % 2}}"
metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]
metadata: {version: 1.0}
"""


class Eyes:
    """Names the colour it sees in the last image, but takes green for blue; likes that answer best."""

    name = "test/eyes"
    sees = True

    def __init__(self, failing: int = 0, error: Exception | None = None) -> None:
        self.requests: list[Request] = []
        self.failing, self.error = failing, error
        self.open = False

    async def start(self) -> None:
        self.open = True

    async def close(self) -> None:
        self.open = False

    async def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if request.attempt < self.failing:
            raise self.error or EngineError("not now")
        return Answer(f"{self._colour(request)}\nAnd more")

    async def score(self, request: Request, continuations: Sequence[str]) -> list[Likelihood]:
        self.requests.append(request)
        colour = self._colour(request)
        return [Likelihood(-1.0 if one == colour else -2.0, one == colour, 1) for one in continuations]

    @staticmethod
    def _colour(request: Request) -> str:
        images = [part for part in request.messages[-1].parts if isinstance(part, ImagePart)]
        if not images:
            return "nothing"
        pixel = Image.open(io.BytesIO(images[-1].png)).getpixel((0, 0))
        return {(255, 0, 0): "red", (0, 0, 0): "black"}.get(pixel, "blue")  # type: ignore[arg-type]


class Blind(Eyes):
    sees = False


@pytest.fixture
def tasks(tmp_path: Path) -> TaskManager:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "data.py").write_text(DATA.format(colours=COLOURS, rows=8))
    for name, text in (("generate", GENERATE), ("choose", CHOOSE), ("text", CHOOSE_TEXT)):
        (folder / f"{name}.yaml").write_text(text)
    return TaskManager(include_path=str(folder), include_defaults=False)


def _evaluate(model: EngineLM, tasks: TaskManager, *names: str, **options: Any) -> dict[str, Any]:
    options = {"apply_chat_template": True, "bootstrap_iters": 10} | options
    found: dict[str, Any] = simple_evaluate(model=model, tasks=list(names), task_manager=tasks, **options)
    return found


@pytest.mark.parametrize("chat", [True, False])
def test_a_task_in_a_folder_of_its_own_is_run(tasks: TaskManager, chat: bool) -> None:
    engine = Eyes()
    model = EngineLM(engine)
    found = _evaluate(model, tasks, "tmp_colour_generate", "tmp_colour_choose", apply_chat_template=chat)
    assert found["results"]["tmp_colour_generate"]["exact_match,none"] == 0.75
    assert found["config"]["model"] == "test/eyes"
    if chat:  # without a chat template lm-eval puts a blank before each choice
        assert found["results"]["tmp_colour_choose"]["acc,none"] == 0.75
        asked = {request.messages[0].parts[1] for request in engine.requests}
        assert "Number 0. What colour is this?" in asked  # in whatever order threads came to ask
    assert len(engine.requests) == 8 + 8  # one a question, whether its answer is generated or chosen
    assert engine.requests[0].sampling.stop == ("\n",)
    model.close()
    model.close()
    assert engine.open  # it was not opened here


def test_few_shots_become_turns(tasks: TaskManager) -> None:
    engine = Eyes()
    model = EngineLM(engine)
    _evaluate(model, tasks, "tmp_number_choose", num_fewshot=2, system_instruction="Be brief.", limit=3)
    roles = [message.role for message in engine.requests[0].messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    model.close()


def test_memory_answers_a_second_run(tasks: TaskManager, tmp_path: Path) -> None:
    both = ("tmp_colour_generate", "tmp_colour_choose")
    results = []
    for asked in (8 + 8, 0):
        engine = Eyes()
        model = EngineLM(engine, memo=tmp_path / "memo.sqlite")
        results.append(_evaluate(model, tasks, *both)["results"])
        model.close()
        assert len(engine.requests) == asked
    assert results[0] == results[1]


def test_a_model_that_does_not_see_is_refused_unless_blindness_is_wanted(tasks: TaskManager) -> None:
    model = EngineLM(Blind())
    with pytest.raises(InputError, match="test/eyes: does not see"):
        _evaluate(model, tasks, "tmp_colour_generate")
    model.close()
    for engine in (Blind(), Eyes()):
        model = EngineLM(engine, blind=True)
        found = _evaluate(model, tasks, "tmp_colour_generate")
        assert found["results"]["tmp_colour_generate"]["exact_match,none"] == 0
        assert all(len(request.messages[-1].parts) == 1 for request in engine.requests)
        model.close()


def test_a_request_is_put_three_times(tasks: TaskManager) -> None:
    engine = Eyes(failing=2)
    model = EngineLM(engine)
    found = _evaluate(model, tasks, "tmp_colour_generate")
    assert found["results"]["tmp_colour_generate"]["exact_match,none"] == 0.75
    assert len(engine.requests) == 3 * 8
    model.close()
    model = EngineLM(Eyes(failing=3))
    with pytest.raises(
        InputError, match="8 of 8 requests failed; the first: tmp_colour_generate, document 0"
    ):
        _evaluate(model, tasks, "tmp_colour_generate")
    model.close()


def test_a_dead_engine_is_named(tasks: TaskManager) -> None:
    model = EngineLM(Eyes(failing=3, error=EngineDeadError("the server is gone")))
    with pytest.raises(EngineDeadError, match="the server is gone"):
        _evaluate(model, tasks, "tmp_colour_generate")
    model.close()


def test_repeated_samples_get_seeds_of_their_own() -> None:
    engine = Eyes()
    model = EngineLM(engine, seed=5)
    arguments = ("Hello", {"temperature": 1.0})
    again = [Instance("generate_until", {}, arguments, 0, ("task", 0, 2))] * 2
    other = Instance("generate_until", {}, arguments, 0, ("task", 1, 1))
    model.generate_until([*again, other], disable_tqdm=True)
    seeds = [request.seed for request in engine.requests]
    model.generate_until([*again, other], disable_tqdm=True)
    assert len(set(seeds)) == 3
    assert [request.seed for request in engine.requests[3:]] == seeds
    model.close()


def test_what_engines_cannot_do_is_refused(tasks: TaskManager) -> None:
    model = EngineLM("scripted/echo")
    with pytest.raises(InputError, match=r"scripted/echo: .*vllm/… or transformers/…"):
        _evaluate(model, tasks, "tmp_number_choose")
    with pytest.raises(InputError, match="gen_prefix"):
        model.apply_chat_template([{"role": "user", "content": "?"}], add_generation_prompt=False)
    with pytest.raises(InputError, match="perplexity"):
        model.loglikelihood_rolling([])
    assert model.generate_until([]) == []
    assert model.loglikelihood([]) == []
    model.close()
    with pytest.raises(InputError, match="no engine is named 'nobody'"):
        EngineLM("nobody/model")
    with pytest.raises(InputError, match="concurrency"):
        EngineLM("scripted/echo", concurrency=0)


def test_lm_eval_finds_it_by_name(tasks: TaskManager) -> None:
    assert get_model("mirror-engine") is EngineLM
    found = simple_evaluate(
        model="mirror-engine",
        model_args="model=scripted/fixed?text=blue&sees=true",
        tasks=["tmp_colour_generate"],
        task_manager=tasks,
        batch_size=4,
        apply_chat_template=True,
        bootstrap_iters=10,
    )
    assert found["results"]["tmp_colour_generate"]["exact_match,none"] == 0.25


async def test_it_runs_inside_a_running_loop() -> None:
    model = EngineLM("scripted/echo")
    request = Instance("generate_until", {}, ("Hello you", {}), 0, ("task", 0, 1))
    assert model.generate_until([request], disable_tqdm=True) == ["Hello you"]
    model.close()


@pytest.mark.engine
def test_vllm_answers_like_lm_evals_own_backend(
    tasks: TaskManager, checkpoint: Path, vllm_engine: Engine
) -> None:
    names = ("tmp_colour_generate", "tmp_number_choose")
    ours = EngineLM(vllm_engine)
    found = _evaluate(ours, tasks, *names, "tmp_colour_choose")
    theirs = simple_evaluate(
        model="hf-multimodal",
        model_args={
            "pretrained": str(checkpoint),
            "dtype": "float32",
            "convert_img_format": True,
            "max_length": 2048,
        },
        tasks=list(names),
        task_manager=tasks,
        device="cpu",
        batch_size=4,
        apply_chat_template=True,
        bootstrap_iters=10,
    )
    for name in names:
        for mine, other in zip(found["samples"][name], theirs["samples"][name], strict=True):
            if name == "tmp_colour_generate":
                assert mine["filtered_resps"] == other["filtered_resps"]
                continue
            for (logprob, greedy), (expected, expectedly) in zip(
                mine["filtered_resps"], other["filtered_resps"], strict=True
            ):
                assert logprob == pytest.approx(expected, abs=2e-3)
                assert greedy == expectedly
    # lm-eval's own backend cannot do this at all.
    logprobs = [sample["filtered_resps"][0][0] for sample in found["samples"]["tmp_colour_choose"]]
    assert len(set(logprobs[:4])) == 4
    ours.close()
    json.dumps(found["config"], default=str)
