"""Photographs of faces: made by a generator, kept only where every check passes them."""

from mirror_bench.registry import Registry

FACE_GENERATORS = Registry(
    "face_generator",
    {
        "diffusers": "mirror_bench.making.faces.diffusion:DiffusionFaces",
        "drawn": "mirror_bench.making.faces.generators:DrawnGenerator",
    },
)
"""Provider of a generator's name -> a class of the shape `generators.FaceGenerator`."""

IMAGE_CHECKS = Registry(
    "image_check",
    {
        "face": "mirror_bench.making.faces.checks.detection:FaceFound",
        "nsfw": "mirror_bench.making.faces.checks.nsfw:NotExplicit",
        "gender": "mirror_bench.making.faces.checks.attributes:SameGender",
        "age": "mirror_bench.making.faces.checks.attributes:NearAge",
        "identity": "mirror_bench.making.faces.checks.identity:SamePerson",
        "clip": "mirror_bench.making.faces.checks.clip:FitsDirection",
    },
)
"""Name -> a class of the shape `checks.base.ImageCheck`, in the order in which an image meets them."""
