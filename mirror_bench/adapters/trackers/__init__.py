"""Experiment trackers that a finished run is logged to, each through its own library."""

from mirror_bench.registry import Registry

TRACKERS = Registry(
    "tracker",
    {
        "mlflow": "mirror_bench.adapters.trackers.mlflow:MlflowTracker",
        "trackio": "mirror_bench.adapters.trackers.trackio:TrackioTracker",
        "wandb": "mirror_bench.adapters.trackers.wandb:WandbTracker",
    },
)
