"""Loads the environment, if verifiers is there."""

from __future__ import annotations

from typing import Any

from mirror_bench.errors import InputError


def load_environment(*, per_turn: bool = False, **choices: Any) -> Any:
    """Returns an environment of verifiers: sessions on the train split. `vf.load_environment` calls this.

    Args:
        per_turn: Whether each step of a trajectory carries the reward of its turn, not of its session.
        choices: As `mirror_bench.training.setup.set_up` takes them: data, seeds, face_conditions, limit,
            judges, instruments, max_client_turns, attunement, gaming, images.

    Raises:
        InputError: If verifiers is missing or too new, or a choice cannot be used; another split than train
            is refused.
    """
    from mirror_bench.training.setup import set_up

    try:
        from mirror_bench.adapters.verifiers.multi_turn import SessionsEnvironment
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"the training environment needs verifiers 0.3 ({error}): pip install 'mirror-bench[verifiers]'"
        ) from None
    try:
        training = set_up(**choices)
    except TypeError as error:
        raise InputError(f"load_environment: {error}") from None
    return SessionsEnvironment(training, per_turn=per_turn)
