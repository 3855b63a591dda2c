"""What vLLM is asked, and what it tells, about how likely given answers are."""

from __future__ import annotations

from typing import Any

from mirror_bench.engines.scoring import Likelihood, ScoringRow


def scoring_params(row: ScoringRow, cached: bool) -> Any:
    """Returns vLLM's `SamplingParams` that tell of a row's tail and of the tokens that may follow it.

    Args:
        row: What is scored.
        cached: Whether the beginning of the text may come from the prefix cache; of what does, vLLM tells
            nothing (see `covers`).
    """
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        temperature=0.0,
        max_tokens=1,
        # 0 asks for no rival tokens: the rank of a token tells whether it is the likeliest.
        prompt_logprobs=0 if row.tail else None,
        logprob_token_ids=row.tokens or None,
        skip_reading_prefix_cache=not cached,
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )


def covers(output: Any, row: ScoringRow) -> bool:
    """Whether everything that the row asks for was computed rather than found in the prefix cache."""
    return not row.tail or (output.num_cached_tokens or 0) < len(output.prompt_token_ids) - row.tail


def read_likelihoods(output: Any, row: ScoringRow) -> dict[int, Likelihood]:
    """Returns place of a continuation -> how likely it is, from vLLM's finished `RequestOutput`."""
    tail = output.prompt_token_ids[len(output.prompt_token_ids) - row.tail :]
    told = output.prompt_logprobs[-row.tail :] if row.tail else []
    found = [places[token] for token, places in zip(tail, told, strict=True)]
    logprob, greedy = sum(one.logprob for one in found), all(one.rank == 1 for one in found)
    said = output.outputs[0]
    return {
        place: Likelihood(logprob, greedy, row.tail)
        if token is None
        else Likelihood(
            logprob + said.logprobs[0][token].logprob, greedy and said.token_ids[0] == token, row.tail + 1
        )
        for place, token in row.nexts.items()
    }
