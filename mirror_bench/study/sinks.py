"""Where answers go: ratings into the runs, comparisons into the study's folder; nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from mirror_bench.errors import InputError
from mirror_bench.files import write_atomically
from mirror_bench.raters.instruments import Instrument, own_file
from mirror_bench.raters.preferences import Better, Opinion, Preference
from mirror_bench.schema import ItemRating, Rating, Session, digest
from mirror_bench.sessions.pairwise_runs import therapist_tokens
from mirror_bench.sessions.run_folder import RunFolder, instrument_of, read_sessions
from mirror_bench.sessions.run_header import read_header
from mirror_bench.study.answers import SentAnswers
from mirror_bench.study.choosing import Place, session_digest
from mirror_bench.study.comparisons import name_of, read_comparisons, write_comparisons
from mirror_bench.study.records import BETTER, SPARED, UNKNOWN, StudyKey, StudyTask

ANSWERS_FOLDER = "answers"
CANNOT_TELL = "the rater could not tell"
NOT_APPLYING = "the rater found that it does not apply"
NOT_ANSWERED = "the rater left it out"

_Held = tuple[Path, str, str, str]
"""Run folder, scenario, rater and instrument."""


class RatingSink(ExitStack):
    """The runs that ratings go into, open while they are taken in."""

    def __init__(self, study: Path, key: StudyKey) -> None:
        super().__init__()
        self.key, self.study = key, study
        self.notes: list[str] = []
        self._paths = [key.run_folder(study, index) for index in range(len(key.runs))]
        _sessions_of(key, self._paths)
        # A run under two face conditions stands twice in a study.
        self._folders = {
            path: self.enter_context(RunFolder(path, read_header(path)))
            for path in dict.fromkeys(self._paths)
        }
        names = {key.rater_name(code): code for code in key.raters}
        self._held: dict[_Held, Rating] = {}
        for path, folder in self._folders.items():
            self._look_over(path)
            for rating in folder.ratings():
                if rating.rater in names:
                    self._held[path, rating.scenario_id, rating.rater, rating.instrument] = rating
        self.raters = {names[rater] for _, _, rater, _ in self._held}

    def changed(self, sent: SentAnswers) -> int:
        """Returns how many answers differ from those that were taken in before."""
        return sum(_differences(self._held.get(place), rating) for place, rating in self._made(sent))

    def keep(self, sent: SentAnswers) -> tuple[int, int]:
        """Appends what is new; returns how many ratings were added, and how many were there."""
        made = [(place, _merged(self._held.get(place), rating)) for place, rating in self._made(sent)]
        new = [(place, rating) for place, rating in made if self._held.get(place) != rating]
        for place, rating in new:
            self._folders[place[0]].keep_rating(rating)
            self._held[place] = rating
        _keep_file(self.study, sent)
        return len(new), len(made) - len(new)

    def _made(self, sent: SentAnswers) -> Iterator[tuple[_Held, Rating]]:
        name = self.key.rater_name(sent.rater)
        for task in self.key.raters[sent.rater]:
            hidden = self.key.sessions[task.sessions[0]]
            for form in self.key.instruments:
                items = _items(form, task, sent)
                if items is None:
                    continue
                rating = Rating(
                    scenario_id=hidden.scenario_id,
                    therapist=hidden.therapist,
                    method=hidden.method,
                    rater=name,
                    instrument=form.name,
                    items=items,
                    instrument_digest=form.digest,
                    rater_edition=f"study {self.key.study}",
                )
                yield (self._paths[hidden.run], hidden.scenario_id, name, form.name), rating

    def _look_over(self, folder: Path) -> None:
        """Lets a run know the instruments of the study, and says where its own are other ones."""
        for form in self.key.instruments:
            for path in (self.study / "instruments").glob(f"{form.name}.*"):
                held = folder / "instruments" / path.name
                if own_file(str(path)) is not None and not held.exists():
                    write_atomically(held, path.read_bytes())
            if instrument_of(folder, form.name).digest != form.digest:
                self.notes.append(
                    f"{folder}: {form.name} is another edition now than in the study: the ratings are kept, "
                    "study agree counts them, and reports do not"
                )


def _items(form: Instrument, task: StudyTask, sent: SentAnswers) -> dict[str, ItemRating] | None:
    """Returns the answers to one instrument; None where not one was given."""
    own = sent.answers.get(task.id, {})
    given = {item.id: own.get(f"{form.name}.{item.id}") for item in form.items}
    if all(value is None for value in given.values()):
        return None
    remark = sent.remarks.get(task.id, "")
    items = {}
    for name, value in given.items():
        if value is None:
            items[name] = ItemRating(score=None, reason=NOT_ANSWERED)
        elif value == UNKNOWN:
            items[name] = ItemRating(score=None, reason=CANNOT_TELL)
        elif value == SPARED:
            items[name] = ItemRating(score=None, reason=NOT_APPLYING, applies=False)
        else:
            items[name] = ItemRating(
                score=float(value), reason=f"remark on the session: {remark}" if remark else ""
            )
    return items


def _differences(held: Rating | None, rating: Rating) -> int:
    """Returns how many answers that were given before are other ones now; one more or less is no other."""
    if held is None:
        return 0
    pairs = ((held.items.get(name), item) for name, item in rating.items.items())
    return sum(
        old is not None
        and NOT_ANSWERED not in (old.reason, new.reason)
        and (old.score, old.applies) != (new.score, new.applies)
        for old, new in pairs
    )


def _merged(held: Rating | None, rating: Rating) -> Rating:
    """Returns a rating with the answers that were given before and are missing now."""
    if held is None:
        return rating
    before = {name: item for name, item in held.items.items() if item.reason != NOT_ANSWERED}
    items = {
        name: before.get(name, item) if item.reason == NOT_ANSWERED else item
        for name, item in rating.items.items()
    }
    return rating.model_copy(update={"items": items})


class ComparisonSink:
    """The study's own file, which pairwise answers go into: a run knows nothing of other runs."""

    def __init__(self, study: Path, key: StudyKey) -> None:
        self.key, self.study = key, study
        self.notes: list[str] = []
        self._sessions = _sessions_of(key, [key.run_folder(study, index) for index in range(len(key.runs))])
        self._held = {
            (preference.judge, preference.pair, preference.first, preference.second): preference
            for preference in read_comparisons(study)
        }
        names = {key.rater_name(code): code for code in key.raters}
        self.raters = {names[judge] for judge, *_ in self._held if judge in names}

    def __enter__(self) -> ComparisonSink:
        return self

    def __exit__(self, *_: object) -> None:
        write_comparisons(self.study, list(self._held.values()))

    def changed(self, sent: SentAnswers) -> int:
        """As of `RatingSink`."""
        made = self._made(sent)
        return sum(
            place in self._held and self._held[place].better != preference.better
            for place, preference in made.items()
        )

    def keep(self, sent: SentAnswers) -> tuple[int, int]:
        """As of `RatingSink`; what is replaced stays in the answers that are kept beside."""
        made = self._made(sent)
        new = {place: preference for place, preference in made.items() if self._held.get(place) != preference}
        self._held |= new
        _keep_file(self.study, sent)
        return len(new), len(made) - len(new)

    def _made(self, sent: SentAnswers) -> dict[tuple[str, str, str, str], Preference]:
        judge = self.key.rater_name(sent.rater)
        preferences = {}
        for task in self.key.raters[sent.rater]:
            value = sent.answers.get(task.id, {}).get(BETTER)
            if value is None:
                continue
            shown = [self.key.sessions[name] for name in task.sessions]
            turned = shown[0].run > shown[1].run
            first, second = reversed(shown) if turned else shown
            sides: tuple[Better, Better] = ("second", "first") if turned else ("first", "second")
            better: Better = "tie" if value == "tie" else sides[value == "b"]
            made = Preference(
                pair=first.pair,
                profile_id=first.profile_id,
                first=name_of(self.key, first),
                second=name_of(self.key, second),
                judge=judge,
                better=better,
                opinions=(Opinion(better=better, reason=sent.remarks.get(task.id, "")),),
                tokens=(
                    therapist_tokens(self._sessions[first.run, first.scenario_id]),
                    therapist_tokens(self._sessions[second.run, second.scenario_id]),
                ),
            )
            preferences[judge, made.pair, made.first, made.second] = made
        return preferences


def _sessions_of(key: StudyKey, folders: Sequence[Path]) -> dict[Place, Session]:
    """Returns the sessions of a study.

    Raises:
        InputError: If one is gone, or was held again since the study was made.
    """
    wanted = {(session.run, session.scenario_id): session for session in key.sessions.values()}
    sessions: dict[Place, Session] = {}
    for index, folder in enumerate(folders):
        for session in read_sessions(folder):
            if (index, session.scenario_id) in wanted:
                sessions[index, session.scenario_id] = session
    for place, shown in wanted.items():
        folder = folders[shown.run]
        if place not in sessions:
            raise InputError(
                f"{folder}: the session {shown.scenario_id} is gone: restore the run as the study met it"
            )
        if session_digest(sessions[place]) != shown.digest:
            raise InputError(
                f"{folder}: the session {shown.scenario_id} was held again since the study was made, and "
                "raters read another one: restore the run as the study met it"
            )
    return sessions


def _keep_file(study: Path, sent: SentAnswers) -> None:
    """Keeps what was taken in beside the study, under a name of its content: remarks and times are in it."""
    content = sent.model_dump_json(indent=1)
    name = f"{sent.rater}-{digest(sent.model_dump(mode='json', exclude={'file'}))[:8]}.json"
    write_atomically(study / ANSWERS_FOLDER / name, f"{content}\n".encode())
