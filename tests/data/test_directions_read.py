from mirror_bench.data.base import DataSet
from mirror_bench.data.screenplays.direction_coverage import count_directions
from mirror_bench.data.screenplays.parser import parse_screenplay
from mirror_bench.data.sources.registry import load_data
from mirror_bench.schema import Resistance

TEXT = """Therapist: [Smiles] Hello.
Client: [Frowns] No. [Xyzzies plughly]
Client: [Frowns deeply] No.
"""


def test_what_is_not_understood_is_neutral_and_counted() -> None:
    play = parse_screenplay(TEXT, id="a", profile_id="p", resistance=Resistance.NONE).screenplay
    counts = count_directions(DataSet("one", screenplays=(play,)))
    assert (counts.directions, counts.neutral) == (3, 1)
    assert counts.expressions["neutral"] >= 1
    assert set(counts.unknown_words) == {"xyzzies", "plughly"}


def test_most_of_the_packaged_directions_are_understood() -> None:
    counts = count_directions(load_data("mini"))
    assert counts.directions > 150
    assert counts.neutral / counts.directions < 0.1
