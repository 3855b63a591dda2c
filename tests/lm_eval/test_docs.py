"""Documents are balanced by construction, the same on every machine, and hold what they say."""

from __future__ import annotations

import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache

import pytest
from PIL import Image

from mirror_bench.data.sources.mini import load_mini
from mirror_bench.errors import InputError
from mirror_bench.lm_eval.documents import QUESTIONS, load, question_rows
from mirror_bench.lm_eval.expression import AGES, SEXES, SKINS, labels
from mirror_bench.lm_eval.questions import Row, blank
from mirror_bench.lm_eval.session_questions import fitting
from mirror_bench.lm_eval.turn_questions import distractors
from mirror_bench.schema import Resistance, derive_seed

WITH_FACES = [name for name in QUESTIONS if name != "technique"]


@cache
def rows(questions: str, split: str = "test", withheld: str = "") -> list[Row]:
    return question_rows(questions, split, withheld=withheld)


@pytest.mark.parametrize("questions", QUESTIONS)
def test_ids_are_unique_and_the_rows_are_always_the_same(questions: str) -> None:
    made = rows(questions)
    assert len(made) >= 50
    assert len({row["id"] for row in made}) == len(made)
    assert question_rows(questions) == made


@pytest.mark.parametrize("questions", WITH_FACES)
def test_the_digest_is_the_images(questions: str) -> None:
    for row in rows(questions)[:40]:
        png = row["image"]["bytes"]
        assert hashlib.sha256(png).hexdigest() == row["image_digest"]
        with Image.open(io.BytesIO(png)) as image:
            assert (image.size, image.mode) == ((336, 336), "RGB")


@pytest.mark.parametrize("questions", sorted(set(QUESTIONS) - {"expression"}))
def test_only_clients_of_the_split_are_asked_about(questions: str) -> None:
    test = {profile.id for profile in load_mini().of_split("test").profiles}
    assert {row["cluster"] for row in rows(questions)} <= test
    train = {row["cluster"] for row in rows(questions, "train")}
    assert train
    assert not train & test


def test_every_label_stands_on_every_group_of_faces_once() -> None:
    cells = Counter((row["answers"][0], row["age"], row["sex"], row["skin"]) for row in rows("expression"))
    assert set(cells.values()) == {1}
    assert len(cells) == len(labels()) * len(AGES) * len(SEXES) * len(SKINS)


def test_no_two_faces_of_the_expression_task_are_one_image() -> None:
    digests = [row["image_digest"] for split in ("train", "test") for row in rows("expression", split)]
    assert len(set(digests)) == len(digests)


def accuracy(made: list[Row], rule: Callable[[Row], str]) -> float:
    return sum(rule(row) in row["answers"] for row in made) / len(made)


@pytest.mark.parametrize("seed", range(20))
def test_no_rule_on_words_or_on_the_face_alone_beats_chance(seed: int) -> None:
    def by(*names: str) -> Callable[[Row], str]:
        return lambda row: row["options"][derive_seed("rule", seed, *(row[name] for name in names)) % 2]

    assert accuracy(rows("incongruence"), by("words")) == 0.5
    assert accuracy(rows("incongruence"), by("image_digest")) == 0.5
    assert accuracy(rows("incongruence", withheld="face"), by("words", "image_digest")) == 0.5
    assert accuracy(rows("incongruence", withheld="words"), by("words", "image_digest")) == 0.5


def test_a_classifier_fitted_to_the_train_split_is_at_chance_on_words_alone() -> None:
    vectorizer = pytest.importorskip("sklearn.feature_extraction.text").TfidfVectorizer
    regression = pytest.importorskip("sklearn.linear_model").LogisticRegression
    make_pipeline = pytest.importorskip("sklearn.pipeline").make_pipeline
    train, test = rows("incongruence", "train", "face"), rows("incongruence", "test", "face")
    model = make_pipeline(vectorizer(ngram_range=(1, 2)), regression(max_iter=500))
    model.fit([row["words"] for row in train], [row["answers"][0] for row in train])
    said = dict(zip((row["id"] for row in test), model.predict([row["words"] for row in test]), strict=True))
    assert accuracy(test, lambda row: str(said[row["id"]])) == 0.5


def test_face_and_words_together_tell_the_answer() -> None:
    def together(row: Row) -> str:
        said, shown = row["text_key"].rsplit("-", 1)[1], row["face_key"].rsplit("-", 1)[1]
        return "yes" if said == shown else "no"

    made = rows("incongruence")
    assert accuracy(made, together) == 1
    fours: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in made:
        fours[row["text_key"].rsplit("-", 1)[0]].add((row["words"], row["image_digest"]))
    assert {len(four) for four in fours.values()} == {4}


def test_withholding_shows_a_grey_image_or_no_words() -> None:
    assert {row["image_digest"] for row in rows("incongruence", withheld="face")} == {blank().digest}
    assert len({row["words"] for row in rows("incongruence", withheld="words")}) == 1
    assert {row["image_digest"] for row in question_rows("expression", faces="blank")} == {blank().digest}


def test_types_of_resistance_and_letters_are_balanced() -> None:
    made = rows("resistance")
    counts = Counter(row["resistance"] for row in made)
    assert set(counts) == {kind.value for kind in Resistance}
    assert len(set(counts.values())) == 1
    letters = Counter((row["resistance"], row["answers"][0]) for row in made)
    assert max(letters.values()) - min(letters.values()) <= 1
    assert len(letters) == 16


def test_right_techniques_fit_the_client_and_wrong_ones_do_not() -> None:
    data = load_mini().of_split("test")
    profiles = {profile.id: profile for profile in data.profiles}
    written = {play.profile_id: play.technique for play in data.screenplays}
    for row in rows("technique"):
        right = {
            option
            for letter, option in zip(row["letters"], row["options"], strict=True)
            if letter in row["answers"]
        }
        suits = set(fitting(profiles[row["cluster"]], written.get(row["cluster"], "")))
        assert len(right) == 2
        assert right == suits & set(row["options"])


def test_knowing_which_techniques_are_popular_helps_little() -> None:
    offered, right = Counter[str](), Counter[str]()
    for row in rows("technique"):
        offered.update(row["options"])
        right.update(o for x, o in zip(row["letters"], row["options"], strict=True) if x in row["answers"])
    share = {name: right[name] / offered[name] for name in offered}
    best = accuracy(
        rows("technique"),
        lambda row: row["letters"][max(range(6), key=lambda k: share[row["options"][k]])],
    )
    assert best < 1 / 3 + 0.12  # the best technique is chosen with hindsight, on these very questions


def test_length_alone_is_at_chance() -> None:
    made = rows("response_choice")
    for rank in range(4):
        hits = accuracy(made, lambda row: _by_length(row)[rank])  # noqa: B023 - called at once
        assert hits == pytest.approx(0.25, abs=1e-9)


def _by_length(row: Row) -> list[str]:
    return [letter for _, letter in sorted(zip(map(len, row["options"]), row["letters"], strict=True))]


def test_distractors_are_of_three_kinds_and_none_is_the_written_reply() -> None:
    data = load_mini()
    for row in rows("response_choice"):
        kinds = row["kinds"]
        assert kinds["warm"] in distractors()["warm"]
        assert kinds["directive"] in distractors()["directive"]
        own = {
            line.words
            for play in data.screenplays
            if play.profile_id == row["cluster"]
            for line in play.lines
        }
        assert kinds["elsewhere"] not in own
        assert len(set(row["options"])) == 4


def test_letters_of_replies_are_balanced() -> None:
    counts = Counter(row["answers"][0] for row in rows("response_choice"))
    assert len(counts) == 4
    assert max(counts.values()) - min(counts.values()) <= 8


def test_moments_keep_what_the_index_says() -> None:
    data = load_mini().of_split("test")
    moments = {(play.id, m.number): m for play in data.screenplays for m in play.moments}
    made = rows("next_turn")
    assert len(made) == len(moments)
    for row in made:
        play, _, number = row["id"].rpartition("-")
        moment = moments[play, int(number)]
        assert (tuple(row["wants"]), tuple(row["avoids"])) == (moment.wants, moment.avoids)
        assert bool(row["written"]) != moment.missed or not row["written"]
        assert row["dialogue"].splitlines()[-1].startswith("Client: ")


def test_no_stage_direction_reaches_a_prompt() -> None:
    directions = {
        direction
        for play in load_mini().of_split("test").screenplays
        for line in play.lines
        for direction in line.directions
        if len(direction.split()) > 3
    }
    for questions in ("resistance", "next_turn", "response_choice"):
        for row in rows(questions):
            assert not any(direction in row["dialogue"] for direction in directions)
            assert "[" not in row["dialogue"]


def test_load_gives_images_and_few_shot_examples_of_another_split() -> None:
    loaded = load("resistance", fewshot="dev", version=1.0, chance=0.25)
    assert set(loaded) == {"test", "dev"}
    assert loaded["test"][0]["image"].size == (336, 336)
    assert not set(loaded["test"]["cluster"]) & set(loaded["dev"]["cluster"])


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"questions": "moods"}, "questions: 'moods'"),
        ({"questions": "expression", "faces": "photo"}, "faces: 'photo'"),
        ({"questions": "incongruence", "withheld": "all"}, "withheld: 'all'"),
        ({"questions": "resistance", "split": "nowhere"}, "no question of the kind"),
        ({"questions": "next_turn", "split": "nowhere"}, "nowhere"),
        ({"questions": "expression", "data": "nothing"}, "--data"),
    ],
)
def test_bad_options_are_refused_in_one_line(options: dict[str, str], named: str) -> None:
    with pytest.raises(InputError, match=named) as error:
        load(**options)
    assert "\n" not in str(error.value)
