"""MLflow: a run in the experiment, where `MLFLOW_TRACKING_URI` says (a folder, or a server)."""

from __future__ import annotations

from mirror_bench.adapters.trackers.tracked_run import TrackedRun


class MlflowTracker:
    """Logs through the library `mlflow` (or `mlflow-skinny`)."""

    needs = "mlflow"
    install = "mlflow-skinny"

    def log(self, run: TrackedRun, project: str) -> str:
        """Logs a run, and returns the run's id and where the store is."""
        import mlflow

        mlflow.set_experiment(project)
        with mlflow.start_run(run_name=run.name) as made:
            mlflow.log_params(run.parameters)
            mlflow.log_metrics(run.metrics)
            for path in run.files:
                mlflow.log_artifact(str(path), "plots" if path.parent.name == "plots" else None)
        return f"run {made.info.run_id} of experiment {project} in {mlflow.get_tracking_uri()}"
