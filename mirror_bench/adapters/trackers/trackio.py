"""Trackio: a run in the local project (`TRACKIO_DIR`), or in the Space that `TRACKIO_SPACE_ID` names."""

from __future__ import annotations

import contextlib
import os
import sys

from mirror_bench.adapters.trackers.tracked_run import TrackedRun


class TrackioTracker:
    """Logs through the library `trackio`."""

    needs = "trackio"
    install = "trackio"

    def log(self, run: TrackedRun, project: str) -> str:
        """Logs a run, and says how to look at it."""
        import trackio

        space = os.environ.get("TRACKIO_SPACE_ID") or None
        with contextlib.redirect_stdout(sys.stderr):  # it greets, and --json is to stay JSON
            trackio.init(
                project=project,
                name=run.name,
                config=dict(run.parameters),
                space_id=space,
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
            trackio.log(dict(run.metrics))
            artifact = trackio.Artifact(f"{project}-report", type="mirror-bench-run")
            for path in run.files:
                artifact.add_file(
                    str(path), name=f"plots/{path.name}" if path.parent.name == "plots" else path.name
                )
            trackio.log_artifact(artifact)
            trackio.finish()
        return f"run {run.name} of project {project} in {space or 'trackio show --project ' + project}"
