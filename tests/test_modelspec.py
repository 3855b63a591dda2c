from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from mirror_bench.engines.openai.engine import OpenAIEngine
from mirror_bench.errors import InputError
from mirror_bench.modelspec import ModelOptions, parse_model, read_options


def test_reads_provider_name_and_options() -> None:
    spec = parse_model("vllm/Qwen/Qwen2.5-VL-7B-Instruct?tensor_parallel_size=2&dtype=auto")
    assert (spec.provider, spec.name) == ("vllm", "Qwen/Qwen2.5-VL-7B-Instruct")
    assert spec.options == {"tensor_parallel_size": "2", "dtype": "auto"}


def test_base_url_survives() -> None:
    assert (
        parse_model("openai/m?base_url=http://127.0.0.1:8000/v1").options["base_url"]
        == "http://127.0.0.1:8000/v1"
    )


@pytest.mark.parametrize("text", ["gpt-4o", "", "vllm/", "/x", "vllm/x?a", "vllm/x?a=1&a=2", "vllm/x?a="])
def test_refuses_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as raised:
        parse_model(text, "--therapist")
    assert "--therapist" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["mine:reply", "mine.py:reply"])
def test_code_without_its_provider_is_told_the_name_to_give(text: str) -> None:
    with pytest.raises(InputError, match="python/mine:reply names code of your own"):
        parse_model(text, "--therapist")


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        spec = parse_model(text)
    except InputError:
        return
    assert spec.provider
    assert spec.name


class Sample(ModelOptions):
    count: int = Field(1, ge=1)
    share: float = Field(0.5, ge=0, le=1)
    loud: bool = False
    kind: Literal["a", "b"] = "a"
    mode: str = Field("x", alias="json")


def test_options_are_read_as_their_class_declares_them() -> None:
    read = read_options(parse_model("vllm/x?count=3&share=0.25&loud=yes&kind=b&json=y"), Sample)
    assert read == Sample(count=3, share=0.25, loud=True, kind="b", json="y")
    assert read_options(parse_model("vllm/x"), Sample) == Sample()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("cout=1", "no option 'cout': did you mean 'count'? known are count, json, kind, loud, share"),
        ("mode=1", "no option 'mode'"),
        ("count=x", "the option count='x' must be a whole number"),
        ("count=0", "the option count='0' must be greater than or equal to 1"),
        ("share=much", "the option share='much' must be a number"),
        ("share=nan", "the option share='nan' must be a finite number"),
        ("loud=maybe", "the option loud='maybe' must be true or false"),
        ("kind=c", "the option kind='c' must be 'a' or 'b'"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(query: str, said: str) -> None:
    with pytest.raises(InputError) as raised:
        read_options(parse_model(f"vllm/x?{query}"), Sample)
    assert said in str(raised.value)
    assert str(raised.value).startswith("vllm/x?")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("a+b", "a+b"), ("1e+5", "1e+5"), ("a%20b", "a b"), ("a%26b%25", "a&b%"), ("x=y", "x=y")],
)
def test_a_value_stands_as_it_is_and_survives_being_written(text: str, value: str) -> None:
    spec = parse_model(f"scripted/fixed?text={text}")
    assert spec.options == {"text": value}
    assert parse_model(str(spec)) == spec


@pytest.mark.parametrize("field", ["temperatur", "top-p", "seeds", "temperature, sed"])
def test_a_misspelt_field_to_leave_out_is_refused(field: str) -> None:
    with pytest.raises(InputError, match=r"leave_out: no field .*known are"):
        OpenAIEngine(parse_model(f"openai/m?leave_out={field}"))
