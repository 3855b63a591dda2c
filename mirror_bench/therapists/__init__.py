"""Therapists, which are what the benchmark rates: models prompted by a method, and scripted ones."""

from mirror_bench.registry import Registry

SCRIPTED = Registry(
    "scripted_therapist",
    {
        "attuned": "mirror_bench.therapists.policies.comparison:Attuned",
        "words-only": "mirror_bench.therapists.policies.comparison:WordsOnly",
        "reflective": "mirror_bench.therapists.policies.comparison:Reflective",
        "directive": "mirror_bench.therapists.policies.comparison:Directive",
        "parrot": "mirror_bench.therapists.policies.comparison:Parrot",
        "warm": "mirror_bench.therapists.policies.careless:Warm",
        "guesser": "mirror_bench.therapists.policies.careless:FaceGuesser",
        "random": "mirror_bench.therapists.policies.careless:Random",
    },
)
