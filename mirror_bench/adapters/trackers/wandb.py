"""Weights & Biases: a run in the project; `WANDB_MODE=offline` keeps it in the folder `wandb`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from mirror_bench.adapters.trackers.tracked_run import TrackedRun


class WandbTracker:
    """Logs through the library `wandb`."""

    needs = "wandb"
    install = "wandb"

    def log(self, run: TrackedRun, project: str) -> str:
        """Logs a run, and returns its address, or its folder where it is kept offline."""
        import wandb

        quiet = wandb.Settings(console="off", silent=True)
        with wandb.init(project=project, name=run.name, config=dict(run.parameters), settings=quiet) as made:
            made.summary.update(dict(run.metrics))
            plots = [path for path in run.files if path.parent.name == "plots"]
            made.log({f"plots/{path.stem}": wandb.Image(str(path)) for path in plots})
            artifact = wandb.Artifact(f"run-{made.id}", type="mirror-bench run")
            with tempfile.TemporaryDirectory(prefix="mirror-bench-") as folder:
                for path in run.files:  # copied: an artifact is read while the run's folder may go on
                    copied = Path(folder, path.parent.name if path in plots else "", path.name)
                    copied.parent.mkdir(exist_ok=True)
                    shutil.copyfile(path, copied)
                    artifact.add_file(str(copied), name=copied.relative_to(folder).as_posix())
                made.log_artifact(artifact)
            where = made.url or str(Path(made.dir).parent)
        return f"run {made.id} of project {project}: {where}"
