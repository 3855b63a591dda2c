import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror_bench.engines.openai.engine import OpenAIEngine
from mirror_bench.errors import InputError
from mirror_bench.modelspec import Options, parse_model


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


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        spec = parse_model(text)
    except InputError:
        return
    assert spec.provider
    assert spec.name


def test_unknown_option_names_the_nearest() -> None:
    options = Options(parse_model("vllm/x?dtyp=auto"))
    options.text("dtype")
    with pytest.raises(InputError, match="did you mean 'dtype'"):
        options.done()


@pytest.mark.parametrize(("query", "read"), [("n=x", "integer"), ("n=x", "number"), ("n=maybe", "flag")])
def test_wrong_kinds_name_the_option(query: str, read: str) -> None:
    options = Options(parse_model(f"vllm/x?{query}"))
    with pytest.raises(InputError, match="n="):
        getattr(options, read)("n", 1)


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
