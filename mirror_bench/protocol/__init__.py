"""A protocol is all that can move a score but the candidate itself; its fingerprint stands for it."""

from mirror_bench.protocol.fingerprint import Fingerprint, fingerprint, fingerprint_parts, identity
from mirror_bench.protocol.settings import (
    SAFETY,
    ClientSettings,
    FaceSettings,
    Protocol,
    RaterSettings,
    SamplingSettings,
    TherapistSettings,
    as_stated,
    form_name,
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
    "as_stated",
    "fingerprint",
    "fingerprint_parts",
    "form_name",
    "identity",
    "load_protocol",
    "protocol_names",
    "protocol_path",
]
