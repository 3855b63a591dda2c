"""`mirror-bench study`: people rate or compare sessions, blinded; how far they and judges agree."""

from __future__ import annotations

import click

from mirror_bench.cli.study.agree import agree
from mirror_bench.cli.study.import_answers import import_answers
from mirror_bench.cli.study.make import make
from mirror_bench.cli.study.plan import plan


@click.group()
def study() -> None:
    """Have people rate or compare sessions, blinded, and say how far they and judges agree.

    plan says beforehand how many sessions and raters it takes, make writes a form per rater, import reads
    what they send back, and agree compares them with each other and with every judge in the runs.
    """


for command in (plan, make, import_answers, agree):
    study.add_command(command)
