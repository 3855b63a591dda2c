from __future__ import annotations

from pathlib import Path

import pytest
from made_annomi import made_rows, write_annomi

from mirror_bench.schema import Speaker
from mirror_bench.validity.annomi import read_annomi
from mirror_bench.validity.coding import code_transcript, coding_json, evidence_of, examine, measure_coding
from mirror_bench.validity.evidence import Setting


@pytest.fixture
def annomi(tmp_path: Path) -> Path:
    return write_annomi(tmp_path / "annomi.csv", made_rows())


def test_plain_speech_is_coded_as_meant(annomi: Path) -> None:
    evidence = examine(Setting(annomi=annomi, quick=True))
    assert evidence.met, evidence.targets
    for plot in evidence.plots:
        assert plot.draw() is not None
    assert len({plot.name for plot in evidence.plots}) == 2


def test_without_annomi_it_is_skipped() -> None:
    assert "--annomi" in examine(Setting()).skipped


def test_utterances_without_a_code_are_left_out_but_heard(tmp_path: Path) -> None:
    rows = made_rows(1, 1)
    rows[0]["client_talk_type"] = "n/a"
    coded = code_transcript(read_annomi(write_annomi(tmp_path / "a.csv", rows))[0])
    assert len(coded) == 7
    assert coded[0].speaker is Speaker.THERAPIST
    assert coded[0].expert == coded[0].found == "reflection"


def test_wrong_labels_lower_the_figures_and_miss_the_target(tmp_path: Path) -> None:
    rows = made_rows()
    for row in rows:
        if row["interlocutor"] == "therapist":
            row["main_therapist_behaviour"] = "question" if "." in row["utterance_text"] else "reflection"
    found = measure_coding(read_annomi(write_annomi(tmp_path / "a.csv", rows)))
    assert found.therapist is not None
    assert found.therapist.macro_f1.value < 0.3
    assert [target.met for target in evidence_of(found).targets] == [False, True]


def test_json_has_counts_that_add_up(annomi: Path) -> None:
    transcripts = read_annomi(annomi)
    found = coding_json(measure_coding(transcripts))
    assert found["therapist_macro_f1"] == found["coding"]["therapist"]["macro_f1"]["value"]
    for speaker in Speaker:
        counts = found["coding"][speaker.value]["confusion"]["counts"]
        said = sum(u.speaker is speaker for t in transcripts for u in t.utterances)
        assert sum(map(sum, counts)) == said


def test_a_side_that_nobody_coded_has_no_figure(tmp_path: Path) -> None:
    rows = made_rows(1, 1)
    for row in rows:
        row["client_talk_type"] = "n/a"
    found = measure_coding(read_annomi(write_annomi(tmp_path / "a.csv", rows)))
    assert found.client is None
    assert coding_json(found)["client_macro_f1"] is None
    assert len(evidence_of(found).targets) == 1
