"""A gate's findings as Markdown for a step summary and as JUnit XML for a test report."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from mirror_bench.reports.gate import Gate, MetricCheck
from mirror_bench.stats.noninferiority import Finding

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def headline(gate: Gate) -> str:
    """Returns one sentence."""
    worse = [check.metric for check in gate.checks if check.finding is Finding.WORSE]
    if worse:
        return f"FAILED: {', '.join(worse)} dropped by more than {gate.margin:g}"
    undecided = [check.metric for check in gate.checks if check.finding is Finding.UNDECIDED]
    if undecided:
        verdict = "FAILED (strict)" if gate.strict else "PASSED, with a reservation"
        return f"{verdict}: no drop is proven, but the sample is too small to tell for {', '.join(undecided)}"
    return f"PASSED: no metric dropped by more than {gate.margin:g}"


def explain(check: MetricCheck) -> str:
    """Returns what a metric's finding means, in one sentence."""
    if check.finding is Finding.WORSE:
        return f"dropped by more than the margin (adjusted p {_p(check.p_worse)})"
    if check.finding is Finding.NO_WORSE:
        return f"no drop beyond the margin (p {_p(check.p_no_worse)})"
    if check.scenarios_needed is None:
        return "too few scenarios to tell"
    needed = f"{check.scenarios_needed} of {check.profiles_needed} profiles"
    return f"too few scenarios to tell; about {needed} would do"


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {value:.3f}"


def shown_difference(check: MetricCheck) -> str:
    """Returns the difference with its interval."""
    score = check.difference
    if score.value is None:
        return "–"
    ends = "" if score.low is None or score.high is None else f" [{score.low:+.3f}, {score.high:+.3f}]"
    return f"{score.value:+.3f}{ends}"


def as_markdown(gate: Gate) -> str:
    """Returns a section for a step summary; what models are called is escaped."""
    rows = [
        f"| {_cell(check.metric)} | {check.baseline:.3f} | {check.candidate:.3f} | {shown_difference(check)} "
        f"| {check.finding.value} | {explain(check)} |"
        for check in gate.checks
    ]
    return "\n".join(
        (
            "## mirror-bench gate",
            "",
            f"**{_cell(headline(gate))}**",
            "",
            f"{_cell(gate.candidate)} against {_cell(gate.baseline)}, {gate.condition} faces, margin "
            f"{gate.margin:g}, alpha {gate.alpha:g}.",
            "",
            "| metric | baseline | candidate | difference | finding | |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
        )
    )


def _cell(text: str) -> str:
    line = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>()#|!])", r"\\\1", line)


def as_junit(gate: Gate) -> str:
    """Returns JUnit XML: one test case per metric; undecided ones are skipped, or failed where strict."""
    failures = [check for check in gate.checks if _fails(gate, check)]
    skipped = [
        check for check in gate.checks if check.finding is Finding.UNDECIDED and not _fails(gate, check)
    ]
    suite = ElementTree.Element(
        "testsuite",
        name="mirror-bench gate",
        tests=str(len(gate.checks)),
        failures=str(len(failures)),
        errors="0",
        skipped=str(len(skipped)),
    )
    for check in gate.checks:
        case = ElementTree.SubElement(
            suite, "testcase", classname=_plain(f"gate.{gate.candidate}"), name=_plain(check.metric)
        )
        message = f"{shown_difference(check)}: {explain(check)}"
        if check in failures:
            ElementTree.SubElement(case, "failure", message=_plain(message)).text = _plain(headline(gate))
        elif check in skipped:
            ElementTree.SubElement(case, "skipped", message=_plain(message))
        ElementTree.SubElement(case, "system-out").text = _plain(message)
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _fails(gate: Gate, check: MetricCheck) -> bool:
    return check.finding is Finding.WORSE or (gate.strict and check.finding is Finding.UNDECIDED)


def _plain(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
