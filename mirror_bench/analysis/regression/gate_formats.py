"""A gate's findings in words, as Markdown for a step summary and as JUnit XML for a test report."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from mirror_bench.analysis.regression.gate import Gate, MetricCheck
from mirror_bench.stats.noninferiority import DropFinding

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def headline(gate: Gate) -> str:
    """Returns the gate's outcome as one sentence."""
    wrong = []
    for finding, said in ((DropFinding.NOT_MEASURED, "not measured: {}"), (DropFinding.WORSE, "{} dropped")):
        names = ", ".join(check.metric for check in gate.checks if check.finding is finding)
        tail = f" by more than {gate.margin:g}" if finding is DropFinding.WORSE else ""
        wrong += [said.format(names) + tail] if names else []
    if gate.safety is not None and gate.safety.fails:
        said = "new failures of safety" if gate.safety.finding == "failed" else "not measured: safety"
        wrong.append(said)
    if wrong:
        return f"FAILED: {'; '.join(wrong)}"
    undecided = [check for check in gate.checks if check.finding is DropFinding.UNDECIDED]
    alike = ", ".join(check.metric for check in undecided if check.alike)
    small = ", ".join(check.metric for check in undecided if not check.alike)
    same = f"candidate and baseline score alike in every scenario ({alike})" if alike else ""
    if small:
        verdict = "FAILED (strict)" if gate.strict else "PASSED, with a reservation"
        tail = f"; {same}" if same else ""
        return f"{verdict}: no drop is proven, but the sample is too small to tell for {small}{tail}"
    if same:
        return f"FAILED (strict): undecided, as {same}" if gate.strict else f"PASSED: {same}"
    return f"PASSED: no metric dropped by more than {gate.margin:g}"


def explain(check: MetricCheck) -> str:
    """Returns what a metric's finding means, in one sentence."""
    if check.finding is DropFinding.NOT_MEASURED:
        return f"not measured: {check.note}{_worst(check)}"
    if check.finding is DropFinding.WORSE and check.p_worse is not None:
        return f"dropped by more than the margin (adjusted p {_p(check.p_worse)}){_worst(check)}"
    if check.finding is DropFinding.NO_WORSE and check.p_no_worse is not None:
        return f"no drop beyond the margin (p {_p(check.p_no_worse)}){_worst(check)}"
    if check.note:
        return f"{check.note}{_worst(check)}"
    if check.difference.low is None:
        return "the difference is the same everywhere, which does not tell how another sample would scatter"
    return f"too few scenarios to tell; {_remedy(check)}{_worst(check)}"


def _remedy(check: MetricCheck) -> str:
    if check.margin_decidable is not None:
        return (
            "the data have too few profiles for this margin: with all of them, about "
            f"{check.margin_decidable:g} is the smallest that can be decided"
        )
    if check.scenarios_needed is None:
        return "hold more"
    needed = f"about {check.scenarios_needed} scenarios of {check.profiles_needed} profiles would do"
    if check.seeds_needed is None:
        return needed
    return f"{needed}, which are all that the data have: {check.seeds_needed} seeds each"


def _worst(check: MetricCheck) -> str:
    if check.loss.worst.value is None:
        return ""
    return (
        f"; with the lowest score for the {check.loss.candidate_alone} that the candidate alone lacks: "
        f"{_signed(check.loss.worst.value, check.loss.worst.low, check.loss.worst.high)}"
    )


def remarks(gate: Gate) -> list[str]:
    """Returns sentences beside the outcome: what is missing and why, and what no sample excludes."""
    found = [
        f"{check.metric}: {check.loss.in_words}"
        for check in gate.checks
        if check.loss.paired < check.loss.due and check.finding is not DropFinding.NOT_MEASURED
    ]
    if gate.failures:
        reason, count = next(iter(gate.failures.items()))
        found.append(
            f"{sum(gate.failures.values())} sessions of the candidate failed; {count} of them: {reason}"
        )
    sure = [check.difference.clusters for check in gate.checks if check.finding is DropFinding.NO_WORSE]
    if sure:
        unseen = 1 - 0.05 ** (1 / min(sure))
        found.append(
            f"a collapse so rare that it met none of the {min(sure)} profiles here cannot be excluded: it "
            f"may still befall up to {unseen:.0%} of profiles (95 %)"
        )
    return found


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {value:.3f}"


def _signed(value: float, low: float | None, high: float | None) -> str:
    ends = "" if low is None or high is None else f" [{low:+.3f}, {high:+.3f}]"
    return f"{value:+.3f}{ends}"


def cells_of(check: MetricCheck) -> tuple[str, str, str, str]:
    """Returns baseline, candidate, difference with its interval, and how many scenarios both have scored."""
    means = ("–" if mean is None else f"{mean:.3f}" for mean in (check.baseline, check.candidate))
    return (*means, shown_difference(check), f"{check.loss.paired} of {check.loss.due}")  # type: ignore[return-value]


def shown_difference(check: MetricCheck) -> str:
    """Returns the difference with its interval."""
    score = check.difference
    return "–" if score.value is None else _signed(score.value, score.low, score.high)


def as_markdown(gate: Gate) -> str:
    """Returns a section for a step summary; what models are called is escaped."""
    rows = [
        f"| {_cell(check.metric)} | {' | '.join(cells_of(check))} | {check.finding.value} "
        f"| {_cell(explain(check))} |"
        for check in gate.checks
    ]
    if gate.safety is not None:
        safety = gate.safety
        rows.append(
            f"| safety | {_cell(safety.baseline)} | {_cell(safety.candidate)} | – "
            f"| {safety.due - safety.missing} of {safety.due} | {safety.finding} | {_cell(safety.in_words)} |"
        )
    return "\n".join(
        (
            "## mirror-bench gate",
            "",
            f"**{_cell(headline(gate))}**",
            "",
            f"{_cell(gate.candidate)} against {_cell(gate.baseline)}, {gate.condition} faces, margin "
            f"{gate.margin:g}, alpha {gate.alpha:g}.",
            "",
            "| metric | baseline | candidate | difference | scored in both | finding | |",
            "| --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            *(f"- {_cell(line)}" for line in remarks(gate)),
            "",
        )
    )


def _cell(text: str) -> str:
    line = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>()#|!])", r"\\\1", line)


def as_junit(gate: Gate) -> str:
    """Returns JUnit XML: a test case per metric and one for safety, if it was rated.

    Undecided metrics are skipped, or failed where strict.
    """
    suite = ElementTree.Element("testsuite", name="mirror-bench gate")
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    cases = [
        (
            check.metric,
            f"{shown_difference(check)}: {explain(check)} ({check.loss.in_words})",
            "failure" if gate.fails(check) else "skipped" if check.finding is DropFinding.UNDECIDED else "",
        )
        for check in gate.checks
    ]
    if gate.safety is not None:
        said = f"{gate.safety.in_words}; baseline: {gate.safety.baseline}; candidate: {gate.safety.candidate}"
        cases.append(("safety", said, "failure" if gate.safety.fails else ""))
    for name, message, outcome in cases:
        case = ElementTree.SubElement(
            suite, "testcase", classname=_plain(f"gate.{gate.candidate}"), name=_plain(name)
        )
        counts["tests"] += 1
        if outcome:
            counts["failures" if outcome == "failure" else "skipped"] += 1
            ElementTree.SubElement(case, outcome, message=_plain(message)).text = _plain(headline(gate))
        ElementTree.SubElement(case, "system-out").text = _plain("\n".join((message, *remarks(gate))))
    for name, count in counts.items():
        suite.set(name, str(count))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _plain(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
