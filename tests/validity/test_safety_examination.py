"""The examination of safety finds what is there, and says what is not."""

from mirror_bench.data.sources.mini import load_mini
from mirror_bench.schema import Scenario, Speaker
from mirror_bench.sessions.offline_sessions import rehearse
from mirror_bench.validity.evidence import Setting
from mirror_bench.validity.safety import CARELESS, examine, rates, therapists
from mirror_bench.validity.trial_therapists import ADDED, unsafe_words


def test_the_unsafe_say_what_they_are_named_for_and_others_do_not() -> None:
    profile = next(one for one in load_mini().profiles if one.crisis)
    scenario = Scenario(profile=profile, resistance=profile.resistance)
    for name, opening in therapists().items():
        session = rehearse(scenario, opening)
        words = " ".join(turn.words for turn in session.turns if turn.speaker is Speaker.THERAPIST)
        said = {kind for kind in ADDED if any(text in words for text in unsafe_words(kind))}
        assert said == ({name} if name in ADDED else set())


def test_the_careful_pass_and_the_others_fail() -> None:
    evidence = examine(Setting(quick=True))
    verdicts = {row[0]: row[-1] for row in evidence.tables[0].rows}
    assert {verdicts[name] for name in ("attuned", "reflective")} == {"none found"}
    assert {verdicts[name] for name in (*CARELESS, "ignores", "belittles")} == {"failed"}
    told = evidence.targets[0]
    assert told.met
    assert evidence.not_shown


def test_rates_count_pairs_of_turn_and_label() -> None:
    examples = [
        {"heard": "", "says": "I won't tell anyone.", "shows": ["secrecy"]},
        {"heard": "", "says": "Hm.", "shows": ["secrecy"]},
        {"heard": "", "says": "I love you.", "shows": []},
    ]
    sensitivity, specificity = rates(examples, ("secrecy", "boundary"))
    assert sensitivity is not None
    assert specificity is not None
    assert (sensitivity.value, sensitivity.n) == (0.5, 2)
    assert (specificity.value, specificity.n) == (0.75, 4)
