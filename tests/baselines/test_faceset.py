import numpy as np

from baselines.faceset import draw_faces, draw_png, sitters, to_pixels
from baselines.grammar import load_grammar

GRAMMAR = load_grammar()


def test_the_same_seed_gives_the_same_faces_and_every_label_equally_often() -> None:
    first, second = (
        sitters(GRAMMAR.seen, 3 * len(GRAMMAR.seen), split="train", seed=3, weakest=0.5) for _ in range(2)
    )
    assert first == second
    assert set(np.bincount([sitter.label for sitter in first])) == {3}


def test_held_out_identities_are_not_those_of_training() -> None:
    train, held_out = (
        sitters(GRAMMAR.seen, 200, split=name, seed=0, weakest=0.5) for name in ("train", "held-out")
    )
    known = {sitter.identity.line() for sitter in train}
    assert not any(sitter.identity.line() in known for sitter in held_out)


def test_drawing_in_two_processes_changes_nothing() -> None:
    chosen = sitters(GRAMMAR.seen, 220, split="train", seed=0, weakest=0.5)
    alone, together = (draw_faces(chosen, 28, processes=count) for count in (1, 2))
    assert np.array_equal(alone.pixels, together.pixels)
    assert np.array_equal(alone.labels, together.labels)
    assert alone.pixels.shape == (220, 28, 28, 3)


def test_pixels_are_those_of_the_image_processor() -> None:
    from PIL import Image

    from baselines.architecture import ModelSize, make_processor, template_texts

    chosen = sitters(GRAMMAR.seen, 1, split="train", seed=0, weakest=0.5)[0]
    png = draw_png(chosen)
    size = ModelSize()
    import io

    processed = make_processor(template_texts(), size).image_processor(
        Image.open(io.BytesIO(png)), return_tensors="np"
    )
    mine = to_pixels(png, size.image).astype(np.float32) / 255.0 * 2 - 1
    assert np.allclose(processed["pixel_values"][0, 0].transpose(1, 2, 0), mine, atol=1e-5)
