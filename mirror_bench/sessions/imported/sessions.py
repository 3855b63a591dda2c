"""Turns a conversation that was held elsewhere into a session, and its client into a profile."""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mirror_bench.data.base import DataSet
from mirror_bench.data.sources.people import read_people
from mirror_bench.data.transcripts.base import Conversation, Spoken, TranscriptReading
from mirror_bench.data.transcripts.personal_details import Finder, Redacting
from mirror_bench.data.transcripts.speakers import Cast
from mirror_bench.data.untrusted_input import MAX_TEXT, clean, identifier
from mirror_bench.errors import InputError
from mirror_bench.faces.base import Face
from mirror_bench.faces.directions.marks import part_directions
from mirror_bench.faces.directions.reader import read_direction
from mirror_bench.pictures import as_png
from mirror_bench.schema import (
    Ending,
    Expression,
    FaceCondition,
    Profile,
    Scenario,
    Session,
    Speaker,
    Turn,
    digest,
)
from mirror_bench.sessions.session import MAX_WORDS

_NAMELESS = "Client"
_PROSE = ("about", "personality", "presenting_problem", "history", "reason_for_seeking", "family", "area")


@dataclass
class People:
    """The clients of an import: who was met, how often, and what is known of each.

    Args:
        given: A data set whose people are looked up by id or name; None where there is none.
        pattern: Finds the client in a conversation's id; its first group, or all of it, names the client.
    """

    given: DataSet | None = None
    pattern: re.Pattern[str] | None = None
    _profiles: dict[str, Profile] = field(default_factory=dict)
    _sessions: Counter[str] = field(default_factory=Counter)
    _taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._known: dict[str, Profile] = {}
        for profile in self.given.profiles if self.given else ():
            for name in (profile.name.lower(), profile.id.lower()):
                self._known.setdefault(name, profile)

    def __len__(self) -> int:
        return len(self._sessions)

    def of(self, held: Conversation, redacting: Redacting | None) -> tuple[Profile, bool]:
        """Returns the client of a conversation, and whether it was not met before."""
        key = self._key(held)
        if key in self._profiles:
            return self._profiles[key], False
        profile = self._known.get(key.lower()) or self._made(held, key, redacting)
        self._profiles[key] = profile
        return profile, profile.id not in self._sessions

    def stranger(self, profile: Profile) -> bool:
        """Tells whether people were given, and a client is none of them."""
        return self.given is not None and profile.id in self._taken

    def scenario(self, profile: Profile, condition: FaceCondition) -> Scenario:
        """Returns the next scenario of a client: one seed for each of its conversations."""
        seed = self._sessions[profile.id]
        self._sessions[profile.id] += 1
        return Scenario(profile=profile, resistance=profile.resistance, seed=seed, condition=condition)

    def _key(self, held: Conversation) -> str:
        """Returns what tells this client from others; the conversation itself where nothing is told."""
        if self.pattern is not None and (match := self.pattern.search(held.id)):
            return next((group for group in match.groups() if group), match.group())
        if isinstance(held.person, str):
            return held.person
        if isinstance(held.person, Mapping):
            for name in ("id", "profile_id", "name", "Name"):
                if isinstance(held.person.get(name), str | int) and str(held.person[name]).strip():
                    return str(held.person[name]).strip()
            return f"person-{digest(_plain(held.person))[:12]}"
        # Two files may call unlike people alike: with whom it was held is told by the first words, too.
        first = held.turns[0].words if held.turns else ""
        return f"{held.id}-{digest(first)[:8]}"

    def _made(self, held: Conversation, key: str, redacting: Redacting | None) -> Profile:
        fields: dict[str, Any] = {}
        if isinstance(held.person, Mapping):
            fields = read_people(held.person, left_out=("id", "profile id")).fields
        fields.setdefault("name", _NAMELESS)
        if redacting is not None:
            fields["name"] = _NAMELESS
            for name in _PROSE:
                if text := fields.get(name):
                    fields[name] = redacting.without(text, redacting.find(text))
        base = identifier(key) if redacting is None else f"person-{len(self._profiles) + 1}"
        id, number = base or f"person-{len(self._profiles) + 1}", 2
        while id in self._taken:
            id, number = f"{base}.{number}", number + 1
        self._taken.add(id)
        return Profile(id=id, **fields)


def _plain(value: Any) -> Any:
    """Returns a value whose digest is the same for the same content, whatever its keys are."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else str(value)


class SessionMaker:
    """Turns conversations of other systems into sessions, with personal details marked.

    Args:
        cast: Who the speakers are.
        reading: Told what could not be read as it stands.
        finder: Looks for personal details.
        redact: Whether marks stand in their place.
        directions: Whether brackets in the words are stage directions.

    Attributes:
        details: Kind -> how many details were found.
        strangers: Speaker of whom it is not known who it is -> its turns.
        first: The same speaker -> where it speaks first.
    """

    def __init__(
        self, cast: Cast, reading: TranscriptReading, finder: Finder, *, redact: bool, directions: bool
    ) -> None:
        self._cast, self._reading, self._finder = cast, reading, finder
        self._redact, self._directions = redact, directions
        self.details: Counter[str] = Counter()
        self.strangers: Counter[str] = Counter()
        self.first: dict[str, str] = {}

    def redacting(self, held: Conversation) -> Redacting:
        """Returns what finds the details of one conversation; it knows the client's own name."""
        name = held.person.get("name") if isinstance(held.person, Mapping) else None
        return Redacting(self._finder, (name,) if isinstance(name, str) else ())

    def turns(self, held: Conversation, redacting: Redacting) -> tuple[list[Turn], list[Face]]:
        """Returns a conversation's turns and the faces that its images are."""
        turns: list[Turn] = []
        faces: list[Face] = []
        for spoken in held.turns:
            side = self._cast.side(spoken.speaker)
            if side is None:
                self.strangers[spoken.speaker] += 1
                self.first.setdefault(spoken.speaker, f"{held.source}:{spoken.line}")
            elif isinstance(side, Speaker):
                turn, face = self._turn(held, spoken, side, redacting)
                turns.append(turn)
                faces += [face] if face is not None else []
        return turns, faces

    def _say(self, held: Conversation, spoken: Spoken, message: str) -> None:
        self._reading.say(held.source, spoken.line, f"{held.id}: {message}")

    def _turn(
        self, held: Conversation, spoken: Spoken, side: Speaker, redacting: Redacting
    ) -> tuple[Turn, Face | None]:
        words, direction = spoken.words.strip(), ""
        removed: tuple[str, ...] = ()
        if self._directions:
            parted = part_directions(words)
            words, direction = parted.words.strip(), ". ".join(parted.directions)
            removed = ("brackets",) if parted.directions and side is Speaker.THERAPIST else ()
        details = redacting.find(words)
        self.details.update(detail.kind for detail in details)
        if self._redact:
            words = redacting.without(words, details)
            direction = redacting.without(direction, redacting.find(direction)) if direction else ""
        if not words and not spoken.images and not direction:
            self._say(held, spoken, f"a turn of the {side.value} is empty: kept as silence")
        if len(words) > MAX_WORDS:
            more = " or more" if len(words) >= MAX_TEXT else ""  # a reader keeps no more of it
            self._say(held, spoken, f"a turn has {len(words)}{more} characters: it was cut at {MAX_WORDS}")
        face = self._face(held, spoken) if side is Speaker.CLIENT and spoken.images else None
        shows = side is Speaker.CLIENT and direction
        turn = Turn(
            speaker=side,
            words=clean(words, MAX_WORDS),
            direction=direction[:MAX_WORDS] if shows else "",
            expression=read_direction(direction).expression if shows else None,
            face=face.sha256 if face else "",
            removed=removed,
        )
        return turn, face

    def _face(self, held: Conversation, spoken: Spoken) -> Face | None:
        from PIL import Image, UnidentifiedImageError

        if len(spoken.images) > 1:
            self._say(held, spoken, f"a turn has {len(spoken.images)} images: the last is taken for the face")
        try:
            with Image.open(io.BytesIO(spoken.images[-1])) as opened:
                png = as_png(opened)
        except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
            unknown = isinstance(error, UnidentifiedImageError)  # which tells where in memory it lay
            why = "of no known kind" if unknown else str(error)[:80]
            self._say(held, spoken, f"an image cannot be opened ({why}): the turn has no face")
            return None
        return Face(png=png, sha256=hashlib.sha256(png).hexdigest(), expression=Expression())


def as_session(scenario: Scenario, therapist: str, turns: list[Turn]) -> Session:
    """Returns a session that holds the turns of an imported conversation."""
    return Session(
        scenario_id=scenario.id,
        pair=scenario.pair,
        profile_id=scenario.profile.id,
        resistance=scenario.resistance,
        condition=scenario.condition,
        seed=scenario.seed,
        therapist=therapist,
        client="recorded",
        turns=tuple(turns),
        ended=Ending.IMPORTED,
        reason="held elsewhere",
    )


def client_pattern(text: str) -> re.Pattern[str] | None:
    """Returns the pattern that finds the client in an id; None for an empty one.

    Raises:
        InputError: If it is no regular expression.
    """
    try:
        return re.compile(text) if text else None
    except re.error as error:
        raise InputError(f"--client-from {text!r}: is no regular expression ({error})") from None
