"""Verdicts as JUnit's XML, which CI systems read: a suite for each lane, unsure is skipped.

What ended a verification before its end is an error in a suite of its own.

There is no standard but what readers take: ``testsuites``, ``testsuite`` with counts, ``testcase``
with ``failure`` or ``skipped`` (the schema that ships with Jenkins' xunit plug-in).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from core.text import visible
from core.verify.words import count_words, groups_of, others_words, selector_of

if TYPE_CHECKING:
    from core.errors import Fault
    from core.verify.receipt import Receipt

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold (section 2.2), once control characters are written out."""


def junit(receipt: Receipt | None, fault: Fault | None = None, at: str = "") -> bytes:
    """The receipt's verdicts as an XML document in UTF-8.

    ``fault``: what ended the verification before its end, told as an error in a suite of its own,
    so that a CI system shows it where it shows failures. ``at``: the time, where no receipt is.
    """
    root = ET.Element("testsuites", name="turnkey verify")
    when = (receipt.at if receipt is not None else at).removesuffix("Z")
    if fault is not None:
        _ended(root, fault, when)
    for group in () if receipt is None else groups_of(receipt):
        words = [one.verdict for one in group.verdicts]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_text(group.title),
            tests=str(len(words)),
            failures=str(words.count("fail")),
            skipped=str(words.count("unsure")),
            errors="0",
            timestamp=when,
        )
        for one in group.verdicts:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=_text(".".join(filter(None, (one.lane, selector_of(one))))),
                name=_text(one.probe),
            )
            if one.verdict == "pass":
                continue
            kind = "failure" if one.verdict == "fail" else "skipped"
            told = ET.SubElement(case, kind, message=_text(one.evidence.text))
            if kind == "failure":
                told.set("type", _text(one.finding or "fail"))
            parts = (count_words(one), others_words(one), one.fix)
            told.text = _text("\n".join(filter(None, parts)))
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _ended(root: ET.Element, fault: Fault, when: str) -> None:
    """The suite of what kept the verification from its end."""
    suite = ET.SubElement(
        root,
        "testsuite",
        name="verification",
        tests="1",
        failures="0",
        skipped="0",
        errors="1",
        timestamp=when,
    )
    case = ET.SubElement(suite, "testcase", classname="turnkey.verify", name="verification")
    told = ET.SubElement(case, "error", message=_text(fault.what), type=_text(fault.code))
    told.text = _text("\n".join(filter(None, (fault.why, fault.fix))))


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", visible(text))
