"""The client's face: action units, expressions, drawn images and what the therapist is shown of them."""

from mirror_bench.registry import Registry

FACE_SOURCES = Registry(
    "face_source",
    {
        "drawn": "mirror_bench.faces.drawing.drawn_faces:DrawnFaces",
        "set": "mirror_bench.faces.sets.source:SetFaces",
        "frames": "mirror_bench.faces.sets.frames:FrameFaces",
    },
)
