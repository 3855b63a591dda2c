"""The manifest of a submission: what its authors declare and what `pack` derives from the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from mirror_bench.schema import Record

SCHEMA_ID = "leaderboard/manifest.schema.json"


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds control characters or line ends: write one plain line")
    return text


Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(_printable),
]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2_000), AfterValidator(_printable)
]
Link = Annotated[
    str,
    StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[^\s<>\"'`\\]*)?$", max_length=500),
    AfterValidator(_printable),
]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Modality = Literal["vision-language", "text"]


class Card(Record):
    """What the authors declare about their model; the keys of `meta.yaml`."""

    name: Annotated[Text, Field(description="The model's name, as the leaderboard shows it.")]
    authors: Annotated[
        tuple[Text, ...], Field(min_length=1, max_length=50, description="People or groups who hand it in.")
    ]
    licence: Annotated[Text, Field(description='Of the model: an SPDX identifier, or "proprietary".')]
    base_model: Annotated[Text, Field(description='What it was trained from; "none" where from scratch.')]
    training_data: Annotated[
        tuple[Text, ...],
        Field(min_length=1, max_length=100, description='Names of all data it was trained on, or "none".'),
    ]
    modality: Annotated[Modality, Field(description="Whether the model sees faces in this run.")]
    links: Annotated[
        tuple[Link, ...], Field(max_length=10, description="Pages of the model, paper or code, http(s).")
    ] = ()
    description: Annotated[LongText, Field(description="One paragraph about the model.")] = ""
    parameters_billions: Annotated[
        float | None, Field(gt=0, lt=100_000, description="Size, in 10^9 parameters.")
    ] = None
    templated: Annotated[
        bool,
        Field(description="Whether it speaks from fixed phrases, as scripted therapists do."),
    ] = False


class File(Record):
    """One file of the submission."""

    sha256: Digest
    bytes: Annotated[int, Field(ge=0)]


class SubmissionCoverage(Record):
    """How much of what was due was done.

    Attributes:
        profiles: Profiles that the run was to meet, out of `profiles_published` of the protocol.
        due: Sessions due.
        failed: Sessions recorded as failed.
        ratings_due: Ratings due: sessions that did not fail, times raters, times instruments.
        items_missing: Item ratings without a score among those.
    """

    profiles: int
    profiles_published: int
    due: int
    failed: int
    ratings_due: int
    items_missing: int

    @property
    def full(self) -> bool:
        """Whether every profile of the protocol was met and no session failed."""
        return self.profiles == self.profiles_published and self.failed == 0


class Manifest(Record):
    """What `manifest.json` of a submission holds.

    Attributes:
        card: What the authors declare.
        therapist: The candidate's name in every record of the run.
        method: How it was prompted; empty for scripted therapists.
        protocol: The protocol's name.
        fingerprint: The protocol's fingerprint.
        coverage: How much of what was due was done.
        files: Every other file of the submission -> its digest and size.
        packed_by: Version of mirror-bench.
    """

    version: Literal[1] = 1
    card: Card
    therapist: Text
    method: Annotated[str, StringConstraints(max_length=50), AfterValidator(_printable)] = ""
    protocol: Text
    fingerprint: Digest
    coverage: SubmissionCoverage
    files: Mapping[Annotated[str, StringConstraints(max_length=120)], File]
    packed_by: Text

    def text(self) -> str:
        """Returns the content of `manifest.json`."""
        return json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def manifest_schema() -> dict[str, Any]:
    """Returns the JSON schema of a manifest, as `leaderboard/manifest.schema.json` holds it."""
    schema = Manifest.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}


def schema_text() -> str:
    """Returns the content of `leaderboard/manifest.schema.json`."""
    return json.dumps(manifest_schema(), indent=1, sort_keys=True) + "\n"
