"""How near the rules come to expert codes: AnnoMI, which nobody on this project wrote."""

from __future__ import annotations

import time

from annomi import auc, macro_f1, needs_annomi, therapist_utterances, utterances

from mirror_bench.raters.behaviour import code_therapist, main_class
from mirror_bench.raters.client_talk import ClientBehaviour, code_client
from mirror_bench.schema import Speaker


@needs_annomi
def test_therapist_classes_agree_with_experts() -> None:
    turns = therapist_utterances()
    found = [main_class(code_therapist(turn.words, turn.heard, turn.before)) for turn in turns]
    assert macro_f1([turn.expert for turn in turns], found) >= 0.66

    shares: dict[str, list[int]] = {}
    high = {turn.transcript: turn.high for turn in turns}
    for turn, name in zip(turns, found, strict=True):
        shares.setdefault(turn.transcript, []).append((name == "reflection") - (name == "therapist_input"))
    balance = {name: sum(values) / len(values) for name, values in shares.items()}
    good = [value for name, value in balance.items() if high[name]]
    poor = [value for name, value in balance.items() if not high[name]]
    assert auc(good, poor) >= 0.85


@needs_annomi
def test_client_talk_agrees_with_experts() -> None:
    def talk(words: str) -> str:
        codes = [code.behaviour for code in code_client(words)]
        change, sustain = codes.count(ClientBehaviour.CHANGE_TALK), codes.count(ClientBehaviour.SUSTAIN_TALK)
        return "neutral" if not change + sustain else "change" if change > sustain else "sustain"

    turns = [u for u in utterances() if u.speaker is Speaker.CLIENT]
    assert macro_f1([u.client_class for u in turns], [talk(u.words) for u in turns]) >= 0.48


@needs_annomi
def test_codes_two_thousand_turns_a_second() -> None:
    turns = therapist_utterances()
    code_therapist("warm the lexicons")
    start = time.process_time()
    for number, turn in enumerate(turns):
        code_therapist(f"{turn.words} {number}", turn.heard)
    assert len(turns) / (time.process_time() - start) >= 2_000
