"""The gate's state in pytest's JUnit XML, so that a reader of that file alone is not shown green.

pytest writes a test case for every claim and test. What keeps a gate from opening may be none of
them, such as a claim that was never collected, so the gate has a suite of its own with one case.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from rlvr_gate.records import GateState, Kind, RunRecord
from rlvr_gate.visible import for_log, harmless, one_line
from rlvr_gate_reports import words
from rlvr_gate_reports.write import write_text

_SUITE, _STATE = "rlvr-gate", "rlvr_gate.state"


def alone(record: RunRecord) -> str:
    """A whole document that holds the gate's suite and nothing else."""
    root = ElementTree.Element("testsuites", name="pytest tests")
    root.append(_suite(record))
    return _text(root)


def add(path: Path, record: RunRecord) -> None:
    """Put the gate's suite into what pytest wrote; a file that is no JUnit XML is replaced.

    Raises:
        ReportError: it cannot be written.
    """
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except (OSError, ElementTree.ParseError):
        return write_text(path, alone(record))
    for suite in root.findall("testsuite"):
        if suite.find(f"properties/property[@name='{_STATE}']") is not None:
            root.remove(suite)
    root.append(_suite(record))
    write_text(path, _text(root))


def _suite(record: RunRecord) -> ElementTree.Element:
    gate = record.gate
    red = gate.state is not GateState.OPEN
    suite = ElementTree.Element(
        "testsuite", name=_SUITE, tests="1", skipped="0", errors="0", failures=str(int(red)),
        timestamp=record.created, time="0",
    )  # fmt: skip
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (
        (_STATE, str(gate.state)),
        ("rlvr_gate.exit_status", str(gate.exit_status)),
        ("rlvr_gate.gate.policy", gate.policy),
        *(
            ("rlvr_gate.finding", words.finding(c))
            for c in record.claims
            if c.kind is Kind.FINDING
        ),
    ):
        ElementTree.SubElement(properties, "property", name=name, value=harmless(one_line(value)))
    case = ElementTree.SubElement(suite, "testcase", classname=_SUITE, name="gate", time="0")
    if red:
        message = f"gate {gate.state}: {words.gate_reason(record)}"
        ElementTree.SubElement(case, "failure", message=for_log(message))
    return suite


def _text(root: ElementTree.Element) -> str:
    return '<?xml version="1.0" encoding="utf-8"?>' + ElementTree.tostring(root, "unicode") + "\n"
