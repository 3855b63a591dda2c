from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from made_annomi import made_rows, write_annomi

from mirror_bench.errors import EngineError, InputError
from mirror_bench.raters.coded import CodedRater
from mirror_bench.raters.instruments import Instrument
from mirror_bench.schema import ItemRating, Profile, Rating, Session
from mirror_bench.validity.annomi import read_annomi
from mirror_bench.validity.evidence import Setting
from mirror_bench.validity.known_groups import evidence_of, examine, known_groups_json
from mirror_bench.validity.separation import TOTAL, Rated, measure_separation, rate_transcripts


@pytest.fixture
def annomi(tmp_path: Path) -> Path:
    return write_annomi(tmp_path / "annomi.csv", made_rows())


def rated(name: str, high: bool, tokens: int, score: float) -> Rated:
    return Rated(name, high, tokens, {TOTAL: score, "ctrs.total": 6 * score, "wai.total": 1 + 4 * score})


def test_the_coded_rater_tells_good_from_poor(annomi: Path) -> None:
    evidence = examine(Setting(annomi=annomi, quick=True))
    assert evidence.met, evidence.targets
    assert "12 transcripts" in evidence.tested
    assert {table.title for table in evidence.tables} >= {"Totals", "AUC at equal length"}
    assert evidence.plots[0].draw() is not None


def test_without_annomi_it_is_skipped() -> None:
    assert "--annomi" in examine(Setting()).skipped


def test_the_total_is_the_mean_of_the_scaled_totals(annomi: Path) -> None:
    for one in asyncio.run(rate_transcripts(read_annomi(annomi)[:4], CodedRater())):
        assert one.scores[TOTAL] == pytest.approx(
            (one.scores["ctrs.total"] / 6 + (one.scores["wai.total"] - 1) / 4) / 2
        )


def test_a_score_that_is_length_alone_is_found_out() -> None:
    # High ones are longer; the score follows length and nothing else.
    found = measure_separation(
        [rated(f"h{n}", True, 100 + 20 * n, (100 + 20 * n) / 2000) for n in range(30)]
        + [rated(f"l{n}", False, 100 + 8 * n, (100 + 8 * n) / 2000) for n in range(30)],
        "length",
    )
    total, equal = found.totals[0], found.equal_length[0]
    assert total.auc.value == found.length.value > 0.75
    assert equal.matched is not None
    assert equal.matched.value < 0.65
    assert equal.near is not None
    assert equal.near.low is not None
    assert equal.near.low < 0.5 < equal.near.value < total.auc.value - 0.1
    assert total.with_length is not None
    assert total.with_length.value == pytest.approx(1.0)
    assert not evidence_of(found).met


def test_a_score_that_is_quality_alone_survives_matching() -> None:
    found = measure_separation(
        [rated(f"h{n}", True, 100 + 20 * n, 0.5 + n % 5 / 10) for n in range(20)]
        + [rated(f"l{n}", False, 100 + 15 * n, 0.3 + n % 5 / 10) for n in range(20)],
        "quality",
    )
    equal = found.equal_length[0]
    assert equal.matched is not None
    assert equal.pairs >= 10
    assert equal.near_pairs >= equal.pairs
    assert equal.matched.value > 0.7
    partial = found.partial[TOTAL].partials
    assert partial["score"].p < 0.001 < partial["log tokens"].p


def test_json_has_the_figures_and_the_details(annomi: Path) -> None:
    whole = asyncio.run(rate_transcripts(read_annomi(annomi), CodedRater()))
    found = known_groups_json(measure_separation(whole, "coded"))
    assert 0 <= found["auc"] <= 1
    assert 0 <= found["auc_length_matched"] <= 1
    assert found["metrics"]["total"]["auc"]["value"] == found["auc"]
    assert found["equal_length"]["total"]["pairs"] >= 5
    assert set(found["partial"]) == {"total", "ctrs.total", "wai.total"}
    assert "wai.trust" in found["metrics"]


class Moody:
    """Rates some transcripts, and fails on others."""

    name = "moody"

    def __init__(self, fails: bool) -> None:
        self.fails = fails

    async def rate(self, session: Session, profile: Profile, instrument: Instrument) -> Rating:
        if self.fails:
            raise EngineError("no answer")
        low = int(session.scenario_id) >= 12
        score = None if low else float(instrument.scale.max)
        items = {item.id: ItemRating(score=score) for item in instrument.items}
        return Rating(
            scenario_id=session.scenario_id,
            therapist="t",
            rater=self.name,
            instrument=instrument.name,
            items=items,
        )


def test_a_rater_that_fails_or_scores_one_group_only_is_named(annomi: Path) -> None:
    transcripts = read_annomi(annomi)
    with pytest.raises(InputError, match="moody failed on transcript"):
        asyncio.run(rate_transcripts(transcripts, Moody(fails=True)))
    half = asyncio.run(rate_transcripts(transcripts, Moody(fails=False)))
    with pytest.raises(InputError, match="moody gave no total to any transcript of low quality"):
        measure_separation(half, "moody")


def test_transcripts_without_a_total_are_counted() -> None:
    some = [rated("a", True, 10, 0.9), rated("b", False, 12, 0.1), Rated("c", True, 5, {})]
    found = measure_separation(some, "x")
    assert (found.high, found.low, found.unrated) == (1, 1, 1)
    assert "1 transcripts have no total" in evidence_of(found).tested
