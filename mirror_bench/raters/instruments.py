"""Instruments: questionnaires about a session, a YAML file each in `tasks/instruments/`, and their scores."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import Field, ValidationError, model_validator

from mirror_bench.content import content_path, names, read_yaml, yaml_nodes
from mirror_bench.errors import InputError
from mirror_bench.parts import StandsOn
from mirror_bench.protocol import form_name, identity
from mirror_bench.schema import Rating, Record, digest

TABLES = (".tsv", ".csv")
"""Files that hold a flow instrument as a table."""
ANSWERED = 0.75
"""Share of a mean's items that must be answered; below it the mean is missing."""

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Text = Annotated[str, Field(min_length=1)]


class Scale(Record):
    """The range of numbers that an item is answered on, and what each means.

    Attributes:
        min: Lowest answer.
        max: Highest answer.
        anchors: What an answer means, for every item alike; items may have their own.
    """

    min: int
    max: int
    anchors: Mapping[int, str] = {}


class CodedRule(Record):
    """How the coded rater answers an item: a weighted sum of features of the session.

    The answer is `min + (max - min) * clamp(start + sum(pro) - sum(con))`, each feature in [0, 1].

    Attributes:
        start: Where a session stands that shows none of the features, 0 (lowest answer) to 1 (highest).
        pro: Feature -> weight, for what raises the answer.
        con: Feature -> weight, for what lowers it.
    """

    start: Annotated[float, Field(ge=0, le=1)]
    pro: Mapping[str, Annotated[float, Field(gt=0, le=1)]] = {}
    con: Mapping[str, Annotated[float, Field(gt=0, le=1)]] = {}


class Item(Record):
    """One question of an instrument, and how it is scored.

    Attributes:
        text: What is asked.
        anchors: What an answer means for this item.
        reversed: Whether a high answer is a poor one; scores turn it round.
        coded: How the coded rater answers it; without it that rater leaves the item unanswered.
        applies: Whether it is asked of every session ("always") or only of one whose client discloses danger
            ("crisis"); elsewhere it does not apply, which is neither a score nor missing.
        passes: The directed score from which it counts as passed; None where it is no matter of passing.
    """

    id: _Name
    title: _Text
    text: _Text
    anchors: Mapping[int, str] = {}
    reversed: bool = False
    coded: CodedRule | None = None
    applies: Literal["always", "crisis"] = "always"
    passes: float | None = None


class PartDescription(NamedTuple):
    """The title, scale and direction of one part of an instrument's scores.

    Attributes:
        kind: Where it stands in its instrument.
        share: Whether it is 0 or 1 in each session, so that its mean is a share.
    """

    title: str
    kind: Literal["total", "subscale", "item"]
    low: float
    high: float
    better: Literal["higher", "lower"] = "higher"
    share: bool = False


class Instrument(Record):
    """A questionnaire by which sessions are rated: items, scale, subscales and total.

    Attributes:
        name: First part of its metrics' names.
        source: Where its structure comes from.
        instructions: What a rater is told about all items.
        subscales: Name -> ids of the items whose mean it is.
        total: "mean_of_items", "mean_of_subscales", or "none" where a mean would hide what matters.
        asked: Whether a model judge is asked for "each" item in a call of its own, or for all "together".
    """

    name: _Name
    title: _Text
    version: int = 1
    source: str = ""
    instructions: str = ""
    scale: Scale
    items: Annotated[tuple[Item, ...], Field(min_length=1)]
    subscales: Mapping[_Name, Annotated[tuple[str, ...], Field(min_length=1)]] = {}
    total: Literal["mean_of_items", "mean_of_subscales", "none"] = "mean_of_items"
    asked: Literal["each", "together"] = "each"

    @model_validator(mode="after")
    def _consistent(self) -> Instrument:
        ids = [item.id for item in self.items]
        taken = [*ids, *self.subscales, "total"]
        twice = sorted({name for name in taken if taken.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands twice among items, subscales and total; rename one")
        for name, members in self.subscales.items():
            for member in members:
                if member not in ids:
                    raise ValueError(f"subscale {name} names {member!r}, which is no item")
        if self.total == "mean_of_subscales" and not self.subscales:
            raise ValueError("total is mean_of_subscales, but there are no subscales")
        if self.scale.min >= self.scale.max:
            raise ValueError(f"scale.min {self.scale.min} must be below scale.max {self.scale.max}")
        for item in self.items:
            if item.passes is not None and not self.scale.min < item.passes <= self.scale.max:
                raise ValueError(f"{item.id}: passes must lie above the lowest answer and on the scale")
        for where, anchors in [("scale", self.scale.anchors), *((i.id, i.anchors) for i in self.items)]:
            for point in anchors:
                if not self.scale.min <= point <= self.scale.max:
                    raise ValueError(f"{where} has an anchor at {point}, outside the scale")
        return self

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of all that decides a rating, which a rating keeps: a changed instrument is rated again."""
        # What is asked item by item, as ever, keeps the digest that it had before there was a choice.
        if self.asked == "each":
            return digest(self.model_dump(mode="json", exclude={"source", "asked"}))
        return digest([self.model_dump(mode="json", exclude={"source"}), identity(self.asked_with)])

    @property
    def asked_with(self) -> StandsOn:
        """What a model judge is asked with, beside what every instrument is asked with."""
        from mirror_bench.raters.criteria_rater import stands_on

        return stands_on() if self.asked == "together" else StandsOn()

    def item(self, item_id: str) -> Item:
        """Returns one item.

        Raises:
            KeyError: If there is no such item.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)

    def anchors_of(self, item: Item) -> dict[int, str]:
        """Returns what the answers to an item mean, its own anchors over the scale's, in ascending order."""
        return dict(sorted({**self.scale.anchors, **item.anchors}.items()))

    def part_scores(self, rating: Rating) -> dict[str, float | None]:
        """Returns item, subscale or "total" -> score, higher always better; None where missing."""
        items: dict[str, float | None] = {}
        for item in self.items:
            given = rating.items.get(item.id)
            score = given.score if given else None
            items[item.id] = None if score is None else self.directed(item, score)
        subscales = {name: _mean([items[i] for i in ids]) for name, ids in self.subscales.items()}
        scores = items | subscales
        if self.total != "none":
            over = subscales if self.total == "mean_of_subscales" else items
            scores["total"] = _mean(list(over.values()))
        return scores

    def describe_part(self, part: str) -> PartDescription:
        """Returns what a part of the scores is called and measured on."""
        title = next((item.title for item in self.items if item.id == part), part)
        kind: Literal["total", "subscale", "item"] = (
            "total" if part == "total" else ("subscale" if part in self.subscales else "item")
        )
        return PartDescription(title, kind, self.scale.min, self.scale.max)

    def directed(self, item: Item, score: float) -> float:
        """Returns an answer so that higher is better, or such a score as the answer it stands for."""
        return self.scale.min + self.scale.max - score if item.reversed else score


def instruments_stand_on(names: Sequence[str]) -> StandsOn:
    """Returns what decides the questions of these instruments, each a name or a file of the user's."""
    content: list[str] = []
    files: dict[str, Path] = {}
    for name in names:
        path = own_file(name)
        if path is None:
            content.append(f"instruments/{name}.yaml")
        else:
            files[f"instruments/{form_name(name)}{path.suffix}"] = path
    found = StandsOn(tuple(content), files=files)
    for name in names:
        if (path := own_file(name)) is None or path.is_file():  # what is gone is said by its digest
            found |= load_instrument(name).asked_with
    return found


def load_instrument(name_or_path: str) -> Instrument:
    """Returns the packaged instrument of a name, or the one in a YAML file.

    Args:
        name_or_path: A name such as "ctrs", or the path of a file that ends in .yaml or .yml, or of a table
            of a flow (.tsv, .csv).

    Raises:
        InputError: If there is none, or its file is malformed, naming file, line and key.
    """
    return read_instrument(path) if (path := own_file(name_or_path)) else _packaged(name_or_path)


def own_file(name_or_path: str) -> Path | None:
    """Returns the path where an instrument is a file of the user's; None where it is a packaged one's name.

    Raises:
        InputError: If the file has the name of a packaged instrument, with which it would be confused.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml", *TABLES}:
        if path.is_file() and name_or_path not in names("instruments", ".yaml"):
            raise InputError(f"{path}: an instrument of your own ends in .yaml, .tsv or .csv: rename it")
        return None
    if (name := form_name(name_or_path)) in names("instruments", ".yaml"):
        raise InputError(
            f"{path}: {name} is the name of a packaged instrument: rename the file, so that their "
            "scores are not taken for each other"
        )
    return path.expanduser()


@functools.cache
def _packaged(name: str) -> Instrument:
    if "/" in name or name.startswith("."):
        raise InputError(f"the instrument {name!r} is neither a name nor a file that ends in .yaml or .tsv")
    return read_instrument(content_path("instruments", f"{name}.yaml"))


def read_instrument(path: Path) -> Instrument:
    """Reads an instrument's file; its name is the file's.

    Raises:
        InputError: If the file is malformed, naming file, line and key.
    """
    from mirror_bench.raters.flow_tables import read_flow_table
    from mirror_bench.raters.flows import FlowInstrument

    if path.suffix in TABLES:
        return read_flow_table(path)
    values = read_yaml(path)
    kind = FlowInstrument if "flow" in values else Instrument
    try:
        return kind.model_validate({"name": path.stem, **values})
    except ValidationError as error:
        first = error.errors()[0]
        loc = first["loc"]
        message = str(first["msg"]).removeprefix("Value error, ")
        key = ".".join(str(part) for part in loc)
        if loc == ("name",):
            message = "a name has small letters, digits and _ alone, a letter first: rename the file"
        raise InputError(f"{path}:{_line_of(path, loc)}: {key + ': ' if key else ''}{message}") from None


def _line_of(path: Path, loc: Sequence[Any]) -> int:
    """Returns the line of the deepest key of `loc` that the file has; 1 for the file as a whole."""
    node = yaml_nodes(path)
    line = 1
    for part in loc:
        below: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, below = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            below = node.value[part]
            line = below.start_mark.line + 1
        if below is None:
            break
        node = below
    return line


def instrument_scores(instrument: Instrument, rating: Rating) -> dict[str, float | None]:
    """Returns the item, subscale and total scores of one rating, named and oriented so that higher is better.

    Args:
        instrument: The instrument that was filled in.
        rating: The answers.

    Returns:
        "<instrument>.<item>", "<instrument>.<subscale>" and "<instrument>.total" -> score on the instrument's
        scale, higher always better; None where missing. A mean is taken over the answered items if at least
        three quarters of them are answered. There is no total where the instrument has none.

    Raises:
        InputError: If an answer is to an unknown item, or lies outside the scale.
    """
    scale = instrument.scale
    known = {item.id: item for item in instrument.items}
    for item_id, answer in rating.items.items():
        where = f"rating of {rating.scenario_id} by {rating.rater}"
        if item_id not in known:
            raise InputError(
                f"{where}: {instrument.name} has no item {item_id!r}: known are {', '.join(known)}"
            )
        if answer.score is not None and not scale.min <= answer.score <= scale.max:
            raise InputError(
                f"{where}: {instrument.name}.{item_id} is {answer.score}, outside {scale.min} to {scale.max}"
            )
    return {f"{instrument.name}.{part}": score for part, score in instrument.part_scores(rating).items()}


def _mean(scores: Sequence[float | None]) -> float | None:
    given = [score for score in scores if score is not None]
    return sum(given) / len(given) if given and len(given) >= ANSWERED * len(scores) else None
