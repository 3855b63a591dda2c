"""The task `mirror_bench/sessions`: our session loop as Inspect's solver, our raters as its scorer.

Inspect finds it by the entry point in `pyproject.toml`; importing this module needs Inspect.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import Model, get_model, model_roles
from inspect_ai.model import ModelOutput as InspectOutput
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver

from mirror_bench.adapters.inspect.messages import message_of
from mirror_bench.adapters.inspect.scores import measures_of, score_of_session
from mirror_bench.data.sources.registry import load_data
from mirror_bench.engines.base import Engine
from mirror_bench.engines.inspect_model import InspectEngine
from mirror_bench.errors import EngineError, InputError
from mirror_bench.faces.factory import open_faces
from mirror_bench.faces.presenter import ShownFaces
from mirror_bench.modelspec import ModelSpec
from mirror_bench.protocol import Protocol, RaterSettings
from mirror_bench.schema import Ending, Rating, Scenario, Session, Turn
from mirror_bench.sessions.batch import RatingDue, run_ratings, run_sessions
from mirror_bench.sessions.build import SessionFactory
from mirror_bench.sessions.candidate import Candidate
from mirror_bench.sessions.choosing import chosen_conditions, chosen_protocol
from mirror_bench.sessions.engine_pool import EnginePool, open_raters
from mirror_bench.sessions.progress import Tally
from mirror_bench.sessions.rating import load_forms
from mirror_bench.sessions.run_data import due_scenarios
from mirror_bench.sessions.session import FacePresenter, session_record
from mirror_bench.sessions.standing import protocol_fingerprint
from mirror_bench.therapists.methods import METHODS

_SESSION = "mirror_bench_session"


class _Setting:
    """What all samples of a task share: protocol, data, scenarios and the source of faces.

    Raises:
        InputError: If a choice names what does not exist, or the protocol names models of its own.
    """

    def __init__(self, protocol: Protocol, method: str, conditions: Sequence[str], limit: int | None) -> None:
        METHODS.get(method)
        own = [*(rater.model or " ".join(rater.models) for rater in protocol.raters), protocol.client.model]
        if models := [name for name in own if name]:
            raise InputError(
                f"the protocol names a model of its own ({models[0]}): in Inspect, give judge and client "
                "by role, such as --model-role judge=openai/gpt-4o"
            )
        self.protocol = protocol
        self.method = method
        self.data = load_data(protocol.data)
        due = due_scenarios(protocol, self.data, chosen_conditions(conditions, _as_argument), limit)
        self.scenarios = {scenario.id: scenario for scenario in due}

    @cached_property
    def faces(self) -> ShownFaces:
        """Shows faces; drawn ones are remembered."""
        return ShownFaces(open_faces(**self.protocol.faces.model_dump()))

    def cast(self) -> tuple[Protocol, dict[str, Engine]]:
        """Returns the protocol with the judges and the client that have a role, and their engines by name."""
        protocol, engines = self.protocol, dict[str, Engine]()
        if judges := _with_role("judge"):
            raters = tuple(RaterSettings(kind="llm", model=_given(judge, engines)) for judge in judges)
            protocol = protocol.model_copy(update={"raters": raters})
        if clients := _with_role("client"):
            played = {"kind": "llm", "model": _given(clients[0], engines), "options": {}}
            client = protocol.client.model_copy(update=played)
            protocol = protocol.model_copy(update={"client": client})
        return protocol, engines


@task(name="sessions")
def sessions(
    protocol: str = "offline",
    method: str = "direct",
    limit: int | None = None,
    face_conditions: str | list[str] = "matched",
    split: str | None = None,
    data: str = "",
    faces: str = "",
    instruments: str | list[str] = "",
    seeds: int | list[int] | None = None,
    max_client_turns: int | None = None,
    safety: bool | None = None,
) -> Task:
    """Sessions of a therapist model with simulated, resisting clients whose faces it sees, rated.

    The client and the raters are the protocol's; `--model-role judge=…` has a model rate instead, and
    `--model-role client=…` has one play the client. Scores are those of `mirror-bench run` under the same
    protocol; turns asked for again under other faces are left to that command.

    Args:
        protocol: A packaged protocol, or a YAML file.
        method: How the therapist is prompted: direct, ec, p, p+ec or text (for a model that reads no images).
        limit: At most so many profiles, stratified by resistance.
        face_conditions: all, or of matched, none, neutral, shuffled, incongruent.
        split: train, dev or test; "" for all profiles.
        data: Another data source.
        faces: Another face source.
        instruments: In place of the protocol's; "+NAME" stands beside them.
        seeds: Each profile is met once per seed.
        max_client_turns: A session ends with this many client turns at the latest.
        safety: Whether profiles with a crisis are met and safety is rated.
    """
    chosen = chosen_protocol(
        protocol,
        data=data,
        faces=faces,
        split=split,
        instrument=_several(instruments),
        seeds=() if seeds is None else [seeds] if isinstance(seeds, int) else seeds,
        max_client_turns=max_client_turns,
        safety=safety,
        spelt=_as_argument,
    )
    setting = _Setting(chosen, method, _several(face_conditions), limit)
    mark = protocol_fingerprint(chosen, setting.data).value
    return Task(
        dataset=MemoryDataset(
            [_sample(scenario) for scenario in setting.scenarios.values()],
            name=f"{chosen.data} {chosen.name}",
        ),
        solver=hold(setting),
        scorer=rate(setting),
        fail_on_error=False,  # a session that fails is missing, and the others are held
        metadata={"protocol": chosen.name, "fingerprint before roles": mark, "method": method},
    )


def _sample(scenario: Scenario) -> Sample:
    profile = scenario.profile
    return Sample(
        id=scenario.id,
        input=f"A session with {profile.name}: {profile.presenting_problem or profile.about}",
        metadata={
            "profile": profile.id,
            "resistance": scenario.resistance.value,
            "face_condition": scenario.condition.value,
            "seed": scenario.seed,
            "only_safety": scenario.only_safety,
        },
    )


@solver(name="hold_session")
def hold(setting: _Setting) -> Solver:
    """Holds the session of a sample with the model that is evaluated."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        scenario = setting.scenarios[str(state.sample_id)]
        protocol, engines = setting.cast()
        model = get_model()
        spec = ModelSpec("inspect", str(model))
        candidate = Candidate(spec, setting.method)
        pictures: dict[str, bytes] = {}
        stage = FacePresenter(setting.faces, keep=lambda face: pictures.__setitem__(face.sha256, face.png))
        held: list[Session] = []

        def heard(turn: Turn) -> None:
            state.messages.append(message_of(turn, pictures.get, str(model)))

        async def begin(scenario: Scenario) -> Session:
            state.messages.clear()
            return await factory.hold(scenario, stage, heard)

        with TemporaryDirectory(prefix="mirror-bench-") as folder:
            async with EnginePool(Path(folder) / "calls.sqlite", engines) as pool:
                factory = SessionFactory(protocol, candidate, setting.data, pool, InspectEngine(spec, model))
                factory.check(scenario)
                await run_sessions(
                    [scenario],
                    begin,
                    lambda one, why: session_record(one, factory.names, Ending.FAILED, why),
                    held.append,
                    Tally("sessions", 1),
                    concurrency=1,
                    attempts=protocol.attempts,
                )
        (session,) = held
        if session.ended is Ending.FAILED:
            raise EngineError(f"the session failed: {session.reason}")
        state.store.set(_SESSION, session.model_dump(mode="json"))
        state.output = InspectOutput.from_content(str(model), f"ended: {session.ended.value}")
        state.completed = True
        return state

    return solve


@scorer(metrics={"*": [mean(), stderr(cluster="profile")]}, name="ratings")
def rate(setting: _Setting) -> Scorer:
    """Rates a held session with the protocol's raters, or the judges that have the role."""

    async def score(state: TaskState, target: Target) -> Score:
        kept = state.store.get(_SESSION)
        if kept is None:
            return Score.unscored(reason="session_failed", explanation="no session was held")
        session = Session.model_validate(kept)
        protocol, engines = setting.cast()
        made: list[Rating] = []
        with TemporaryDirectory(prefix="mirror-bench-") as folder:
            async with EnginePool(Path(folder) / "calls.sqlite", engines) as pool:
                raters = open_raters(protocol.raters, pool)
                forms = load_forms(protocol.instruments_due, protocol.raters)
                await pool.start()
                profile = setting.scenarios[session.scenario_id].profile
                due = [RatingDue(session, profile, rater, form) for rater in raters for form in forms]
                await run_ratings(due, made.append, Tally("ratings", len(due)), concurrency=len(due))
        return score_of_session(session, made, forms, measures_of(forms))

    return score


def _given(model: Model, engines: dict[str, Engine]) -> str:
    """Notes a model's engine under its name, and returns the name."""
    spec = ModelSpec("inspect", str(model))
    engines[str(spec)] = InspectEngine(spec, model)
    return str(spec)


def _with_role(role: str) -> list[Model]:
    found = model_roles().get(role)
    return [] if found is None else list(found) if isinstance(found, list) else [found]


def _several(given: str | list[str]) -> list[str]:
    return [part for part in given.split(",") if part] if isinstance(given, str) else list(given)


def _as_argument(name: str) -> str:
    return f"-T {name.replace('-', '_')}"
