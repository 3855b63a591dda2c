"""The manifest's schema is the model's, and refuses what the model refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packed import Packed
from pydantic import ValidationError

from mirror_bench.submissions.archive import MANIFEST
from mirror_bench.submissions.manifest import SCHEMA_ID, Card, Manifest, manifest_schema, schema_text

jsonschema = pytest.importorskip("jsonschema")
CHECKED_IN = Path(__file__).resolve().parents[2] / SCHEMA_ID


def test_the_schema_that_is_checked_in_is_that_of_the_model() -> None:
    assert CHECKED_IN.read_text() == schema_text(), (
        "write it anew: python -c 'from mirror_bench.submissions.manifest import schema_text; "
        f'print(schema_text(), end="")\' > {SCHEMA_ID}'
    )


def test_a_packed_manifest_is_valid_by_the_schema(model: Packed) -> None:
    jsonschema.Draft202012Validator.check_schema(manifest_schema())
    value = json.loads(model.members()[MANIFEST])
    jsonschema.validate(value, manifest_schema())
    value["card"]["links"] = ["javascript:alert(1)"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, manifest_schema())


def test_a_manifest_is_written_as_it_is_read(model: Packed) -> None:
    content = model.members()[MANIFEST]
    assert Manifest.model_validate_json(content).text().encode() == content


@given(st.text(min_size=1, max_size=300))
def test_a_name_is_one_plain_line_or_refused(name: str) -> None:
    rest = {"authors": ["x"], "licence": "x", "base_model": "x", "training_data": ["x"], "modality": "text"}
    try:
        card = Card.model_validate({"name": name, **rest})
    except ValidationError:
        assert not name.strip() or len(name.strip()) > 200 or not name.isprintable()
    else:
        assert card.name == name.strip()
        assert card.name.isprintable()
