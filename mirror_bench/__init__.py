"""mirror-bench: evaluates multimodal therapists in sessions with a simulated, resisting client."""

__version__ = "0.1.0"
