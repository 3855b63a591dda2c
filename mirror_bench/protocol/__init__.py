"""A protocol is all that can move a score but the candidate itself; its fingerprint stands for it."""

from mirror_bench.protocol.fingerprint import Fingerprint, fingerprint, identity
from mirror_bench.protocol.settings import (
    SAFETY,
    ClientSettings,
    FaceSettings,
    Protocol,
    RaterSettings,
    SamplingSettings,
    TherapistSettings,
    load_protocol,
    protocol_names,
    protocol_path,
)

__all__ = [
    "SAFETY",
    "ClientSettings",
    "FaceSettings",
    "Fingerprint",
    "Protocol",
    "RaterSettings",
    "SamplingSettings",
    "TherapistSettings",
    "fingerprint",
    "identity",
    "load_protocol",
    "protocol_names",
    "protocol_path",
]
