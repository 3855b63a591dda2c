"""What servers say where a request holds more than their model takes, each in its own words."""

from __future__ import annotations

import pytest

from mirror_bench.engines.limits import too_much

LENGTH = None
TOO_LONG = (
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9100 tokens. "
    "Please reduce the length of the messages.",
    "This model's maximum context length is 4097 tokens, however you requested 4200 tokens (3900 in your "
    "prompt; 300 for the completion). Please reduce your prompt; or completion length.",
    "This endpoint's maximum context length is 8192 tokens. However, you requested about 9000 tokens.",
    "The decoder prompt (length 5010) is longer than the maximum model length of 1024. Make sure that "
    "`max_model_len` is no smaller than the number of text tokens plus multimodal tokens.",
    "'max_tokens' or 'max_completion_tokens' is too large: 512. This model's maximum context length is 2048 "
    "tokens and your request has 1800 input tokens (512 > 2048 - 1800).",
    "the request exceeds the available context size. try increasing the context size or enable context shift",
    "request (5210 tokens) exceeds the available context size (4096 tokens), try increasing it",
    "Requested tokens (5000) exceed context window of 4096",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens "
    "and 200 `max_new_tokens`",
    "Input validation error: `inputs` must have less than 3000 tokens. Given: 4000",
    "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
    "prompt is too long: 210000 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with "
    "context length of only 4096 tokens",
    "Input is too long for requested model.",
    "too many tokens: total number of tokens in the prompt cannot exceed 4081",
    "413 Request Entity Too Large",
)
TOO_MANY_IMAGES = {
    "At most 1 image(s) may be provided in one prompt.": 1,
    "At most 4 image(s) may be provided in one request. Set `--limit-mm-per-prompt` to increase it": 4,
    "Too many images provided. This model supports up to 5 images": 5,
    "Too many images in request. Max is 6.": 6,
    "too many images and documents: 9 > 7": 7,
    "llama-3.2-11b-vision only supports one image": 1,
    "This model does not support multiple images": 1,
    "Multiple images are not supported by this model.": 1,
    "The number of images exceeds the limit of 8": 8,
    "Only 1 image is supported per request": 1,
}
SOMETHING_ELSE = (
    "max_tokens is too large: 100000. This model supports at most 4096 completion tokens, whereas you "
    "provided 100000.",
    "this model does not support image input",
    "is not a multimodal model",
    "no endpoints found that support image input",
    "The image exceeds the maximum of 5 MB",
    "image dimensions exceed max allowed size: 8000 pixels",
    "the prompt was filtered by the content policy",
    "temperature does not support this value; only the default (1) is supported",
    "Request too large for model on tokens per minute (TPM): Limit 6000, Requested 7000; rate limit reached",
    "internal error",
)


@pytest.mark.parametrize("said", TOO_LONG)
def test_too_long_in_many_words(said: str) -> None:
    error = too_much(said, images=9, status=400)
    assert error is not None
    assert error.images is LENGTH


@pytest.mark.parametrize(("said", "most"), TOO_MANY_IMAGES.items())
def test_too_many_images_in_many_words(said: str, most: int) -> None:
    error = too_much(said, images=9, status=400)
    assert error is not None
    assert error.images == most


@pytest.mark.parametrize("said", SOMETHING_ELSE)
def test_what_is_about_something_else_stays_so(said: str) -> None:
    assert too_much(said, images=9, status=400) is None


def test_codes_and_statuses_speak_too() -> None:
    assert too_much("no", 0, code="context_length_exceeded") is not None
    assert too_much("<html>", 3, status=413) is not None
    assert too_much("maximum context length of a minute", 0, status=429) is None


def test_a_model_that_takes_no_image_takes_no_fewer() -> None:
    assert too_much("At most 0 image(s) may be provided in one prompt.", images=1) is None
    assert too_much("At most 1 image(s) may be provided in one prompt.", images=0) is None
