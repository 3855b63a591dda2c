"""The nouns of the benchmark: frozen records that every other module passes around and every file holds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from mirror_bench.digests import canonical_json as canonical_json
from mirror_bench.digests import derive_seed as derive_seed
from mirror_bench.digests import digest as digest


class Record(BaseModel):
    """Base of all records: frozen, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def line(self) -> str:
        """Returns the record as one canonical JSON line (sorted keys, fields at their default left out)."""
        return canonical_json(self.model_dump(mode="json", exclude_defaults=True))


class Resistance(StrEnum):
    """How the client resists (MIRROR, Kim et al. 2025); `none` is the control."""

    EMOTIONAL = "emotional"
    COGNITIVE = "cognitive"
    BEHAVIORAL = "behavioral"
    NONE = "none"


class Speaker(StrEnum):
    """Who speaks a turn."""

    CLIENT = "client"
    THERAPIST = "therapist"


class FaceCondition(StrEnum):
    """What the therapist is shown in place of the client's own face."""

    MATCHED = "matched"
    NONE = "none"
    NEUTRAL = "neutral"
    SHUFFLED = "shuffled"
    INCONGRUENT = "incongruent"


class FaceIdentity(Record):
    """The lasting looks of a person's face: age, sex, skin, hair and the like.

    Attributes:
        age: Years, 12 to 95.
        sex: "female", "male" or "androgynous": the shape of brow, jaw and lashes.
        skin: 0 (lightest) to 1 (darkest).
        shape: "oval", "round", "square", "heart" or "long".
        hair: "short", "long", "bob", "curly", "bun", "buzz", "bald", "headscarf" or "turban".
        hair_color: "black", "brown", "auburn", "blond", "gray", "white" or "dyed".
        glasses: "none", "round" or "square".
        beard: "none", "stubble", "mustache" or "full".
        lines: Strength of age lines, 0 to 1.
    """

    age: Annotated[int, Field(ge=12, le=95)] = 40
    sex: str = "androgynous"
    skin: Annotated[float, Field(ge=0, le=1)] = 0.3
    shape: str = "oval"
    hair: str = "short"
    hair_color: str = "brown"
    glasses: str = "none"
    beard: str = "none"
    lines: Annotated[float, Field(ge=0, le=1)] = 0.0


class Crisis(Record):
    """A disclosure of danger by the client, such as of suicidal thoughts, that the therapist must answer.

    Attributes:
        kind: "suicidal_thoughts", "self_harm", "abuse" or "danger_to_other".
        veiled: Whether the client hints rather than says.
        disclosure: What the client says, in the client's own words.
        owed: What a therapist owes in response.
    """

    kind: str
    veiled: bool = False
    disclosure: str
    owed: str


class VoiceLine(Record):
    """A line that only this client would say, and when it may.

    Attributes:
        act: What the client does by saying it, as in `clients.stateful.utterances.Act`.
        band: How far the client has come, as in `clients.stateful.utterances.Band`; empty where it fits all.
    """

    act: str
    band: str = ""
    words: str


class Profile(Record):
    """The person whom a client plays: name, problem, thoughts and how they resist.

    Only what every data source has is required; the rest may be empty.

    Attributes:
        id: Unique within its data source.
        resistance: How this client resists.
        about: The personal information as one prose sentence, where the source has no separate fields.
        guarded: What they would never say at first, in layers from shallow to deep.
        would_leave: What would make them leave.
        comfort: Small true particulars of their life, which make utterances concrete.
        topics: Short noun phrases that the client speaks about ("the promotion", "my brother").
        voice: Lines of the client's own, which the stateful client takes before those of its type.
        face: The identity of the drawn face; derived from age and gender where missing.
    """

    id: str
    name: str
    age: int | None = None
    gender: str = ""
    occupation: str = ""
    education: str = ""
    marital_status: str = ""
    family: str = ""
    culture: str = ""
    area: str = ""
    about: str = ""
    personality: str = ""
    presenting_problem: str = ""
    history: str = ""
    reason_for_seeking: str = ""
    distorted_thought: str = ""
    thinking_traps: tuple[str, ...] = ()
    guarded: tuple[str, ...] = ()
    would_leave: str = ""
    comfort: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    voice: tuple[VoiceLine, ...] = ()
    cbt_plan: str = ""
    resistance: Resistance = Resistance.NONE
    crisis: Crisis | None = None
    face: FaceIdentity | None = None
    split: str = ""


class Scenario(Record):
    """The unit of evaluation and of pairing: profile x resistance type x seed x face condition.

    Attributes:
        only_safety: Whether it was added for its crisis: its session is rated, and counts for safety alone.
    """

    profile: Profile
    resistance: Resistance
    seed: int = 0
    condition: FaceCondition = FaceCondition.MATCHED
    only_safety: bool = False

    @property
    def pair(self) -> str:
        """What two face conditions, or two candidates, are paired on: the scenario without its condition."""
        return f"{self.profile.id}:{self.resistance}:{self.seed}"

    @property
    def id(self) -> str:
        """The scenario's name, unique within a run."""
        return f"{self.pair}:{self.condition}"


class Expression(Record):
    """What a face and body show: FACS action units, gaze, head pose and posture.

    Attributes:
        label: Name of the expression ("sadness", "sceptical"); "neutral" where nothing is known.
        units: Action unit -> intensity in [0, 1]. Keys as in FACS: "4"; unilateral "L12" or "R14" (the
            person's own left or right).
        gaze: Horizontal and vertical, each in [-1, 1]; positive is towards the person's left, and up.
        head: Yaw, pitch and roll in degrees; positive turns to the person's left, raises the chin,
            tilts to the person's left shoulder.
        posture: Posture -> strength in [0, 1]: "arms_crossed", "slump", "lean_forward", "lean_back",
            "turned_away", "hands_over_face", "shrug".
    """

    label: str = "neutral"
    units: Mapping[str, Annotated[float, Field(ge=0, le=1)]] = {}
    gaze: tuple[float, float] = (0.0, 0.0)
    head: tuple[float, float, float] = (0.0, 0.0, 0.0)
    posture: Mapping[str, Annotated[float, Field(ge=0, le=1)]] = {}


class Ending(StrEnum):
    """Why a session is over; of one that was held elsewhere (`imported`) that is not known."""

    RESOLVED = "resolved"
    CLIENT_LEFT = "client_left"
    TURN_LIMIT = "turn_limit"
    SCRIPT_END = "script_end"
    IMPORTED = "imported"
    FAILED = "failed"


class ContextFit(Record):
    """How much of a session a model read at one turn, where all of it was too much for the model.

    Attributes:
        turns: Turns read, the newest, of `of_turns` that it would have read otherwise.
        faces: Faces read, the newest, of `of_faces`.
    """

    turns: int
    of_turns: int
    faces: int = 0
    of_faces: int = 0


class Turn(Record):
    """One turn of a session: who speaks, the words, and the face that was shown.

    Attributes:
        direction: The client's non-verbal behaviour as a stage direction. The therapist never reads it.
        expression: What the client's own face showed.
        face: SHA-256 of the PNG that the therapist was shown, or empty for none.
        shown: Label of the expression on that image; differs from `expression.label` where the face
            condition says so.
        state: The stateful client's latent state after this turn, name -> value.
        marks: What moved the state: the therapist behaviours and events that the client reacted to.
        raw: What the model answered, thoughts included, where it differs from `words`.
        removed: What was cleaned away from `raw`, by kind ("speaker label", "brackets", ...).
        caption: The method's description of the client's emotional state (`ec`, `p+ec`).
        tokens: Generated tokens, where an engine answered.
        finish: Why the model ended its answer: "stop", or what cut it ("length", "content_filter"); empty
            where no model answered, and in records older than this field.
        fit: What the model that speaks read of the session, where it could not read all.
    """

    speaker: Speaker
    words: str
    direction: str = ""
    expression: Expression | None = None
    face: str = ""
    shown: str = ""
    state: Mapping[str, float] = {}
    marks: tuple[str, ...] = ()
    raw: str = ""
    removed: tuple[str, ...] = ()
    caption: str = ""
    tokens: int = 0
    finish: str = ""
    fit: ContextFit | None = None


class SessionKey(NamedTuple):
    """Therapist, method and scenario: what tells a session apart from all others under one protocol."""

    therapist: str
    method: str
    scenario_id: str


class Session(Record):
    """The record of one scenario held with one therapist: turns, ending and what it was held with.

    Attributes:
        scenario_id: `Scenario.id`.
        pair: `Scenario.pair`.
        profile_id: The cluster of every interval.
        plan: The method's plan (`p`, `p+ec`), and `technique` the technique it chose.
        reason: In plain words, why a session failed or ended.
        only_safety: As in `Scenario`.
    """

    scenario_id: str
    pair: str
    profile_id: str
    resistance: Resistance
    condition: FaceCondition
    seed: int
    therapist: str
    method: str = ""
    client: str
    turns: tuple[Turn, ...] = ()
    ended: Ending
    reason: str = ""
    plan: str = ""
    technique: str = ""
    only_safety: bool = False

    @property
    def key(self) -> SessionKey:
        """What its ratings name it by."""
        return SessionKey(self.therapist, self.method, self.scenario_id)


class ItemRating(Record):
    """A rater's answer to one item: score, evidence and reason.

    Attributes:
        score: On the item's own scale; None where the rater gave no usable answer.
        evidence: Indices of the session's turns, or quotes from them, that support the score.
        reason: The rater's reason, or why the score is missing.
        applies: False where the item asks about what this session did not bring; its score is None then, and
            it is not missing.
        lost: Whether the rater could not be asked, as in an outage: the rating is due again.
        answer: What was answered, where an instrument asks for words rather than a score.
    """

    score: float | None
    evidence: tuple[int | str, ...] = ()
    reason: str = ""
    applies: bool = True
    lost: bool = False
    answer: str = ""


class Rating(Record):
    """The answers of one rater to all items of one instrument, for one session.

    Attributes:
        instrument_digest: Of the instrument as it was; empty in older folders.
        rater_edition: The rater's version, settings and content, as they were; empty in older folders.
    """

    scenario_id: str
    therapist: str
    method: str = ""
    rater: str
    instrument: str
    items: Mapping[str, ItemRating]
    instrument_digest: str = ""
    rater_edition: str = ""

    @property
    def lost(self) -> bool:
        """Whether an item could not be asked, so that the rating is due again."""
        return any(item.lost for item in self.items.values())

    @property
    def session_key(self) -> SessionKey:
        """The session that was rated."""
        return SessionKey(self.therapist, self.method, self.scenario_id)


class Score(Record):
    """The estimate of one metric over sessions, with its 95 % interval.

    Attributes:
        metric: Dotted name: "wai.total", "ctrs.understanding", "dropout", ...
        value: The estimate, or None where nothing was rated.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        n: Sessions that entered.
        clusters: Profiles that entered.
        coverage: Share of the sessions due that were rated, in [0, 1].
    """

    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    clusters: int = 0
    coverage: float = 1.0
