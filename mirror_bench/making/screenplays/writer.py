"""Asks a model for one session: first for a plan of the resistance, then for the screenplay."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mirror_bench import prompts
from mirror_bench.content import content_path, read_yaml
from mirror_bench.data.screenplays.parser import Parsed, parse_screenplay
from mirror_bench.data.untrusted_input import identifier
from mirror_bench.engines.base import Answer, Engine, Message, Request, Sampling
from mirror_bench.errors import InputError
from mirror_bench.schema import Profile, Resistance, derive_seed

LEAST, MOST = 8, 14
"""Exchanges that a writer is asked for, well within the filter's 4 to 20."""

PLAN_TOKENS, PLAY_TOKENS = 700, 3000
"""The longest answers that are asked for."""

_STEPS = (2, 12)
_LONGEST_PLAN = 6_000
_TECHNIQUE = re.compile(r"^\W*technique\W*[:：]\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_STEP = re.compile(r"^\W*\d{1,2}\s*[.)]\s*\S", re.MULTILINE)
_FENCE = re.compile(r"^\s*```\w*\s*$", re.MULTILINE)


class Brief(NamedTuple):
    """One screenplay that is to be written: which profile, resistance and number.

    Attributes:
        id: Of the screenplay and of its profile in the finished set.
        profile: Who the client is, with the resistance that is to be shown.
        number: Which of several of one profile and resistance, from 0.
    """

    id: str
    profile: Profile
    number: int


class Plan(NamedTuple):
    """The CBT technique of a session that is to be written, and how its client resists."""

    technique: str
    steps: str


class Written(NamedTuple):
    """The screenplay that a model wrote for a brief, or why there is none.

    Attributes:
        parsed: The screenplay as read; None where there is none.
        fell: Why there is none: "plan", "cut" or "unreadable".
        reason: The same in one line.
    """

    brief: Brief
    technique: str = ""
    parsed: Parsed | None = None
    fell: str = ""
    reason: str = ""


def briefs(profiles: Sequence[Profile], resistances: Sequence[Resistance], each: int) -> list[Brief]:
    """Returns `each` briefs for every profile and resistance.

    Args:
        profiles: With unique ids.
        resistances: What each profile is to show; its own where none is given.
        each: Screenplays of one profile and resistance.

    Raises:
        InputError: If the ids of two profiles give the same name of a file.
    """
    found = []
    taken: set[str] = set()
    for profile in profiles:
        for resistance in resistances or (profile.resistance,):
            for number in range(each):
                tail = f"-{number + 1}" if each > 1 else ""
                id = f"{identifier(profile.id)}-{resistance.value}{tail}"
                if id in taken:
                    raise InputError(f"two profiles would both be named {id}: rename {profile.id[:60]!r}")
                taken.add(id)
                shown = profile.model_copy(update={"id": id, "resistance": resistance})
                found.append(Brief(id, shown, number))
    return found


async def write(brief: Brief, planner: Engine, writer: Engine, attempt: int = 0) -> Written:
    """Returns the screenplay of a brief as a model writes it.

    Raises:
        EngineError: If a model could not be asked.
    """
    asked = await planner.answer(plan_request(brief, attempt))
    plan = read_plan(asked.text)
    if asked.finish != "stop" or plan is None:
        why = (
            f"was cut ({asked.finish})" if asked.finish != "stop" else "has no technique or no numbered steps"
        )
        return Written(brief, fell="plan", reason=f"the plan {why}: {_quoted(asked.text)}")
    answer = await writer.answer(play_request(brief, plan, attempt))
    return read_play(brief, plan, answer)


def plan_request(brief: Brief, attempt: int = 0) -> Request:
    """Returns the request that asks a model to plan how the client resists."""
    profile = brief.profile
    prompt = prompts.fill(
        "resistance_plan",
        about=about(profile),
        personality=profile.personality,
        problem=profile.presenting_problem,
        thought=profile.distorted_thought,
        resistance=profile.resistance.value,
        techniques=tuple(read_yaml(content_path("techniques.yaml"))),
    )
    return _request(prompt, PLAN_TOKENS, derive_seed("plan", brief.id), attempt)


def play_request(brief: Brief, plan: Plan, attempt: int = 0) -> Request:
    """Returns the request that asks a model to write the session that was planned."""
    profile = brief.profile
    prompt = prompts.fill(
        "screenplay",
        client=profile.name,
        about=about(profile),
        problem=profile.presenting_problem,
        reason=profile.reason_for_seeking,
        thought=profile.distorted_thought,
        technique=plan.technique,
        plan=plan.steps,
        least=LEAST,
        most=MOST,
    )
    return _request(prompt, PLAY_TOKENS, derive_seed("screenplay", brief.id), attempt)


def read_plan(text: str) -> Plan | None:
    """Returns a plan out of a model's answer; None where it names no technique or has no numbered steps."""
    text = text[:_LONGEST_PLAN]
    known = tuple(read_yaml(content_path("techniques.yaml")))
    named = _TECHNIQUE.search(text)
    said = named[1].lower() if named else ""
    technique = next((one for one in known if one in said), "")
    steps = [text[found.start() :].split("\n", 1)[0].strip() for found in _STEP.finditer(text)]
    if not technique or not _STEPS[0] <= len(steps) <= _STEPS[1]:
        return None
    return Plan(technique, "\n".join(steps))


def read_play(brief: Brief, plan: Plan, answer: Answer) -> Written:
    """Returns the screenplay out of a model's answer, or why there is none."""
    if answer.finish != "stop":
        reason = f"the screenplay was cut ({answer.finish}): {_quoted(answer.text[-200:])}"
        return Written(brief, plan.technique, fell="cut", reason=reason)
    parsed = parse_screenplay(
        _FENCE.sub("", answer.text),
        id=brief.id,
        profile_id=brief.profile.id,
        resistance=brief.profile.resistance,
        client_names=(brief.profile.name,),
    )
    if not parsed.screenplay.lines:
        reason = f"no line begins with a speaker: {_quoted(answer.text)}"
        return Written(brief, plan.technique, fell="unreadable", reason=reason)
    play = parsed.screenplay.model_copy(update={"technique": plan.technique})
    return Written(brief, plan.technique, parsed._replace(screenplay=play))


def about(profile: Profile) -> str:
    """Returns who a client is in one line, by whatever the source says."""
    facts = (
        f"{profile.age} years old" if profile.age is not None else "",
        *(profile.gender, profile.occupation, profile.marital_status, profile.family, profile.culture),
    )
    return profile.about or ", ".join((profile.name, *filter(None, facts)))


def _request(prompt: str, tokens: int, seed: int, attempt: int) -> Request:
    sampling = Sampling(temperature=0.9, top_p=0.95, max_tokens=tokens)
    return Request((Message("user", (prompt,)),), sampling, seed, attempt=attempt)


def _quoted(text: str) -> str:
    return f"{' '.join(text.split())[:100]!r}"
