"""Keeps how the judges of a panel were put on one scale: `calibration.json` of a run folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mirror_bench.files import write_atomically
from mirror_bench.raters.base import Rater
from mirror_bench.raters.panel import PanelRater


def keep_calibrations(folder: Path, raters: Sequence[Rater]) -> None:
    """Writes panel -> instrument -> judge -> its line; nothing where no panel was calibrated."""
    found = {
        rater.name: {
            instrument: {judge: line._asdict() for judge, line in lines.items()}
            for instrument, lines in rater.calibration.items()
        }
        for rater in raters
        if isinstance(rater, PanelRater) and rater.calibration
    }
    if found:
        text = json.dumps(found, indent=1, ensure_ascii=False)
        write_atomically(folder / "calibration.json", f"{text}\n".encode())
