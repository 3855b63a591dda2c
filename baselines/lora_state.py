"""What a fine-tuning that was stopped goes on from: adapters, optimiser and losses, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from mirror_bench.errors import InputError
from mirror_bench.files import make_folder

_FILE = "state.pt"


class TrainingState:
    """Keeps a training's weights and optimiser in a folder, so that it goes on after a kill.

    Args:
        folder: Where it is kept.
        decided_by: Digest of recipe and data; a state of another is refused.
    """

    def __init__(self, folder: Path, decided_by: str) -> None:
        self._folder = folder
        self._decided_by = decided_by

    def keep(self, model: Any, optimiser: Any, schedule: Any, losses: list[float]) -> None:
        """Keeps the state after a step; an older one stands until the new one is complete."""
        import torch

        make_folder(self._folder)
        draft = self._folder / f"{_FILE}.draft"
        trained = {
            name: parameter.detach().cpu()
            for name, parameter in model.named_parameters()
            if parameter.requires_grad
        }
        torch.save(
            {
                "decided_by": self._decided_by,
                "trained": trained,
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "losses": list(losses),
            },
            draft,
        )
        draft.replace(self._folder / _FILE)

    def restore(self, model: Any, optimiser: Any, schedule: Any) -> list[float]:
        """Puts the kept state back and returns the losses so far; none where nothing was kept.

        Raises:
            InputError: If what is there is of another recipe or other data, or cannot be read.
        """
        import torch

        path = self._folder / _FILE
        if not path.is_file():
            return []
        try:
            kept = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # pickle, zip and torch each raise their own
            reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
            raise InputError(
                f"{path}: cannot be read ({reason}): remove {self._folder} to begin anew"
            ) from None
        if kept.get("decided_by") != self._decided_by:
            raise InputError(
                f"{path}: is of a training by another recipe or on other data: name another --out, or remove "
                f"{self._folder} to begin anew"
            )
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if parameter.requires_grad:
                    parameter.copy_(kept["trained"][name])
        optimiser.load_state_dict(kept["optimiser"])
        schedule.load_state_dict(kept["schedule"])
        return [float(loss) for loss in kept["losses"]]

    def forget(self) -> None:
        """Removes what was kept."""
        shutil.rmtree(self._folder, ignore_errors=True)
