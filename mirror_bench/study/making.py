"""Makes a study: chooses sessions, deals them out in blocks, and writes the key and a form per rater."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mirror_bench.errors import InputError
from mirror_bench.files import make_folder, write_atomically
from mirror_bench.protocol import form_name
from mirror_bench.raters.flows import FlowInstrument
from mirror_bench.raters.instruments import Instrument, load_instrument, own_file
from mirror_bench.schema import FaceCondition, derive_seed
from mirror_bench.sessions.pairwise_runs import Contestant
from mirror_bench.sessions.run_folder import kept_instrument
from mirror_bench.study.blocks import assign, ordered, sides
from mirror_bench.study.choosing import (
    ClientFaces,
    Place,
    ShownSession,
    choose_pairs,
    choose_rated,
    contestants,
    session_digest,
    without_faces,
)
from mirror_bench.study.form import FormSession, render_form, show_session
from mirror_bench.study.records import (
    KEY,
    AttentionCheck,
    Form,
    StudyKey,
    StudySession,
    StudyTask,
    read_key,
    write_key,
)
from mirror_bench.study.texts import consent_text, study_texts
from mirror_bench.text import count_words

FORMS_FOLDER = "forms"
RATED_WITH = ("ctrs", "wai", "observed_attunement")
MOST_RATERS = 200


class StudyPlan(NamedTuple):
    """The settings of a human study: runs, raters, form, and how many sessions or pairs.

    Attributes:
        runs: Run folders under one protocol.
        raters: How many people rate.
        form: What they fill in.
        each: How many of them rate each session or pair; all of up to three, else three, where None.
        units: How many sessions or pairs; all where None.
        conditions: Face conditions; each run's own, or matched, where empty.
        instruments: Names or files, of a rating form.
        consent: A text file with what raters agree to.
        seed: Decides choice, blocks, sides and orders.
    """

    runs: tuple[Path, ...]
    raters: int
    form: Form
    each: int | None = None
    units: int | None = None
    conditions: tuple[FaceCondition, ...] = ()
    instruments: tuple[str, ...] = ()
    consent: Path | None = None
    seed: int = 0


class MadeStudy(NamedTuple):
    """The forms of a study that was written, with warnings for its maker.

    Attributes:
        forms: The file of each rater.
        each: How many raters rate each session or pair.
        words: How many words the fullest form has to be read.
        warnings: What whoever makes the study should know before handing forms out.
    """

    key: StudyKey
    forms: tuple[Path, ...]
    each: int
    words: int
    warnings: tuple[str, ...]


class _Unit(NamedTuple):
    """A session or pair to be dealt out."""

    id: str
    group: tuple[int, ...]
    shown: tuple[ShownSession, ...]


def make_study(plan: StudyPlan, out: Path) -> MadeStudy:
    """Writes `key.json` and `forms/` of a study into `out`.

    The same plan over the same runs makes the same study, byte for byte.

    Raises:
        InputError: If runs, instruments or numbers cannot be used, or the folder holds another study.
    """
    each = plan.each if plan.each is not None else min(3, plan.raters)
    if not 1 <= plan.raters <= MOST_RATERS:
        raise InputError(f"--raters {plan.raters}: give 1 to {MOST_RATERS}")
    if not 1 <= each <= plan.raters:
        raise InputError(f"--each {each}: a session can be rated by 1 to {plan.raters} raters (--raters)")
    entrants = contestants(plan.runs, plan.conditions, 1 if plan.form == "rating" else 2)
    instruments = load_asked(plan, entrants)
    units = _units(plan, entrants)
    if len(units) * each < plan.raters:
        raise InputError(
            f"{len(units)} sessions or pairs, {each} ratings of each, leave some of {plan.raters} raters "
            "with nothing: lower --raters, or raise --each or --count"
        )
    codes = [f"r{number}" for number in range(1, plan.raters + 1)]
    groups: dict[tuple[int, ...], list[str]] = {}
    for unit in units:
        groups.setdefault(unit.group, []).append(unit.id)
    dealt = assign(list(groups.values()), codes, each, plan.seed)
    met = {session.place: session for unit in units for session in unit.shown}
    ids = _session_ids(units)
    turned = _turned(plan, units, dealt)
    key = StudyKey(
        form=plan.form,
        seed=plan.seed,
        runs=tuple(os.path.relpath(contestant.folder, out) for contestant in entrants),
        instruments=instruments,
        consent=consent_text(
            plan.consent, recorded=any(contestant.header.imported is not None for contestant in entrants)
        ),
        sessions={
            ids[place]: _hidden(session, entrants)
            for place, session in sorted(met.items(), key=lambda two: ids[two[0]])
        },
        raters={code: _tasks(plan, units, dealt, turned, ids, code, instruments) for code in codes},
    ).named()
    faces = ClientFaces(entrants)
    shown = {ids[place]: show_session(session.session, faces.of(session)) for place, session in met.items()}
    forms = _write(key, out, plan, shown)
    words = {name: _words(session) for name, session in shown.items()}
    fullest = max(
        sum(words[name] for task in tasks for name in task.sessions) for tasks in key.raters.values()
    )
    told = without_faces(entrants, ((place[0], shown[name].sees) for place, name in ids.items()))
    warnings = [
        f"{name} shows no face where another run does, which tells the two apart: leave one of them out"
        for name in told
    ]
    if each == 1:
        warnings.append(
            "nothing is rated by two people, so that their agreement cannot be told: --raters, --each"
        )
    return MadeStudy(key, forms, each, fullest, tuple(warnings))


def load_asked(plan: StudyPlan, entrants: Sequence[Contestant]) -> tuple[Instrument, ...]:
    """Returns the instruments that a form asks; a run's own by name too.

    Raises:
        InputError: If one does not exist, is a flow, or a pairwise form is given any.
    """
    if plan.form == "pairwise":
        if plan.instruments:
            raise InputError(
                "--instrument: a pairwise form asks which is better; leave it out, or take --form rating"
            )
        return ()
    asked = []
    for name in plan.instruments or RATED_WITH:
        own = None if own_file(name) else kept_instrument(entrants[0].folder, form_name(name))
        form = load_instrument(name) if own is None else load_instrument(str(own))
        if isinstance(form, FlowInstrument):
            raise InputError(
                f"--instrument {name}: is a flow, which a form cannot ask; name one with a scale"
            )
        asked.append(form)
    twice = next(
        (
            instrument.name
            for instrument in asked
            if [other.name for other in asked].count(instrument.name) > 1
        ),
        None,
    )
    if twice is not None:
        raise InputError(f"--instrument {twice}: is named twice; name each once")
    return tuple(asked)


def _units(plan: StudyPlan, entrants: Sequence[Contestant]) -> list[_Unit]:
    """Returns the sessions or pairs under ids that tell nothing, as their order is drawn."""
    if plan.form == "rating":
        chosen: list[tuple[ShownSession, ...]] = [
            (session,) for session in choose_rated(entrants, plan.units, plan.seed)
        ]
    else:
        chosen = [*choose_pairs(entrants, plan.units, plan.seed)]
    if plan.units is not None and len(chosen) < plan.units:
        what = "sessions" if plan.form == "rating" else "pairs"
        raise InputError(
            f"--count {plan.units}: these runs have {len(chosen)} {what}: hold more, or lower it"
        )
    if not chosen:
        raise InputError("these runs hold no session to be rated")
    mixed = random.Random(derive_seed(plan.seed, "ids")).sample(chosen, len(chosen))
    wide = max(2, len(str(len(mixed))))
    letter = "s" if plan.form == "rating" else "p"
    return [
        _Unit(f"{letter}{number:0{wide}}", tuple(session.contestant for session in shown), shown)
        for number, shown in enumerate(mixed, 1)
    ]


def _session_ids(units: Sequence[_Unit]) -> dict[Place, str]:
    """Returns the blinded id of each session: its unit's own, or of a pair its number among all sessions."""
    if all(len(unit.shown) == 1 for unit in units):
        return {unit.shown[0].place: unit.id for unit in units}
    met = {session.place: session for unit in units for session in unit.shown}
    drawn = sorted(met, key=lambda place: derive_seed("session", *place, met[place].session.therapist))
    return {place: f"s{number:03}" for number, place in enumerate(drawn, 1)}


def _turned(
    plan: StudyPlan, units: Sequence[_Unit], dealt: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], bool]:
    """Returns (rater, pair) -> whether the second session is shown as A."""
    met = [(code, unit) for unit in units for code in dealt[unit.id]]
    drawn = random.Random(derive_seed(plan.seed, "sides")).sample(met, len(met))
    taken = sides([((code, unit.group), unit.id) for code, unit in drawn])
    return {(code, unit.id): side for (code, unit), side in zip(drawn, taken, strict=True)}


def _hidden(shown: ShownSession, entrants: Sequence[Contestant]) -> StudySession:
    session = shown.session
    return StudySession(
        run=shown.contestant,
        therapist=session.therapist,
        method=session.method,
        scenario_id=session.scenario_id,
        pair=session.pair,
        profile_id=session.profile_id,
        condition=entrants[shown.contestant].condition,
        digest=session_digest(session),
    )


def _tasks(
    plan: StudyPlan,
    units: Sequence[_Unit],
    dealt: Mapping[str, Sequence[str]],
    turned: Mapping[tuple[str, str], bool],
    ids: Mapping[Place, str],
    code: str,
    instruments: Sequence[Instrument],
) -> tuple[StudyTask, ...]:
    mine = {unit.id: unit for unit in units if code in dealt[unit.id]}
    people = {name: unit.shown[0].session.profile_id for name, unit in mine.items()}
    order = ordered(list(mine), people, plan.seed, code)
    checks = _checks(plan, code, len(order), instruments)
    tasks = []
    for place, name in enumerate(order):
        shown = [ids[session.place] for session in mine[name].shown]
        if len(shown) == 2 and turned[code, name]:
            shown.reverse()
        tasks.append(StudyTask(id=name, sessions=tuple(shown), check=checks.get(place)))
    return tuple(tasks)


def _checks(
    plan: StudyPlan, code: str, tasks: int, instruments: Sequence[Instrument]
) -> dict[int, AttentionCheck]:
    """Returns place -> attention check, spread over a rater's tasks by seed."""
    content = study_texts().attention
    many = min(tasks, max(content.fewest, tasks // content.every))
    draw = random.Random(derive_seed(plan.seed, "checks", code))
    checks = {}
    for number in range(many):
        first, last = number * tasks // many, (number + 1) * tasks // many
        text = content.texts[draw.randrange(len(content.texts))]
        place = draw.randrange(first, last)
        if plan.form == "pairwise":
            answer = draw.choice(sorted(study_texts().pairwise.answers))
            told = f"“{study_texts().pairwise.answers[answer]}”"
            checks[place] = AttentionCheck(text=text.format(answer=told), answer=answer)
            continue
        form = draw.choice(list(instruments))
        item = draw.choice(form.items)
        # The middle is what somebody chooses who does not read.
        points = [
            point
            for point in range(form.scale.min, form.scale.max + 1)
            if 2 * point != form.scale.min + form.scale.max
        ]
        answer = str(draw.choice(points))
        checks[place] = AttentionCheck(
            text=text.format(answer=answer), answer=answer, instrument=form.name, before=item.id
        )
    return checks


def _write(key: StudyKey, out: Path, plan: StudyPlan, shown: Mapping[str, FormSession]) -> tuple[Path, ...]:
    """Writes the key, instruments of the user's and the forms; returns the forms."""
    make_folder(out)
    if (out / KEY).exists():
        held = read_key(out)
        if held.study != key.study:
            raise InputError(
                f"{out} holds another study ({held.study}): name a new --out, or remove that folder"
            )
    elif any(out.iterdir()):
        raise InputError(f"--out {out} holds other files: name a new or empty folder")
    write_key(out, key)  # first, as a form without a key is worth nothing
    for name in plan.instruments:
        if (path := own_file(name)) is not None:
            write_atomically(out / "instruments" / path.name, path.read_bytes())
    forms = []
    for code in key.raters:
        path = out / FORMS_FOLDER / f"{key.study}-{code}.html"
        write_atomically(path, render_form(key, code, shown).encode())
        forms.append(path)
    return tuple(forms)


def _words(shown: FormSession) -> int:
    return sum(count_words(turn.turn.words) for turn in shown.turns)
