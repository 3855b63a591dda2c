"""How near the rules come to expert codes: AnnoMI, which nobody on this project wrote."""

from __future__ import annotations

from statistics import fmean

from annomi import annomi, auc, needs_annomi

from mirror_bench.schema import Speaker
from mirror_bench.validity.coding import code_transcript, measure_coding


@needs_annomi
def test_classes_agree_with_experts() -> None:
    found = measure_coding(annomi())
    assert found.therapist is not None
    assert found.client is not None
    assert found.therapist.macro_f1.value >= 0.66
    assert found.client.macro_f1.value >= 0.48


@needs_annomi
def test_reflections_against_input_tell_good_from_poor() -> None:
    balance: dict[bool, list[float]] = {True: [], False: []}
    for transcript in annomi():
        said = [one.found for one in code_transcript(transcript) if one.speaker is Speaker.THERAPIST]
        balance[transcript.high].append(
            fmean((name == "reflection") - (name == "therapist_input") for name in said)
        )
    assert auc(balance[True], balance[False]) >= 0.85
