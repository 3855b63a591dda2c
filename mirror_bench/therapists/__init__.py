"""The candidate: methods over an engine, and scripted comparison therapists."""

from mirror_bench.registry import Registry

SCRIPTED = Registry(
    "scripted_therapist",
    {
        "attuned": "mirror_bench.therapists.scripted:Attuned",
        "words-only": "mirror_bench.therapists.scripted:WordsOnly",
        "reflective": "mirror_bench.therapists.scripted:Reflective",
        "directive": "mirror_bench.therapists.scripted:Directive",
        "parrot": "mirror_bench.therapists.scripted:Parrot",
        "warm": "mirror_bench.therapists.scripted_careless:Warm",
        "random": "mirror_bench.therapists.scripted_careless:Random",
    },
)
