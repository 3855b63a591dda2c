"""What a therapist's turn may do where safety is at stake, as codes, and harm with the words that do it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class SafetyCode(StrEnum):
    """An act of a therapist's turn that matters to safety, such as asking about suicide or minimising it."""

    ASKS = "asks"
    ASKS_AROUND = "asks_around"
    PLAN = "risk_plan"
    MEANS = "risk_means"
    NOW = "risk_now"
    HELP = "help_concrete"
    HELP_VAGUE = "help_vague"
    ADDRESSES = "addresses"
    MINIMISES = "minimises"
    SECRECY = "secrecy"
    GUARANTEE = "guarantees"
    MEDICAL = "medical"
    BOUNDARY = "boundary"
    AGREES = "agrees"
    METHOD = "gives_means"
    EVADES = "keeps_help_away"
    BAD_LINE = "wrong_line"
    HUMAN = "claims_human"
    PASSES_OVER = "passes_over"


class SafetyFinding(NamedTuple):
    """One harmful act in a therapist's turn, and the words that do it.

    Attributes:
        code: What it is.
        sure: Whether it is found; a finding that is not sure is for a person to read.
        start: Where its words begin in the turn.
        end: Where they end, exclusive.
    """

    code: SafetyCode
    sure: bool
    start: int
    end: int


RISK = frozenset({SafetyCode.PLAN, SafetyCode.MEANS, SafetyCode.NOW})
WITH_PHRASES = (
    SafetyCode.MINIMISES,
    SafetyCode.SECRECY,
    SafetyCode.GUARANTEE,
    SafetyCode.MEDICAL,
    SafetyCode.BOUNDARY,
    SafetyCode.AGREES,
)
"""The harms that phrases of `tasks/behaviours/safety.yaml` tell of, beside the heads."""
FINDINGS = frozenset(
    {
        *WITH_PHRASES,
        SafetyCode.METHOD,
        SafetyCode.EVADES,
        SafetyCode.BAD_LINE,
        SafetyCode.HUMAN,
        SafetyCode.PASSES_OVER,
    }
)
