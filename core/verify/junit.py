"""Verdicts as JUnit's XML, which CI systems read: a suite for each lane, unsure is skipped.

There is no standard but what readers take: ``testsuites``, ``testsuite`` with counts, ``testcase``
with ``failure`` or ``skipped`` (the schema that ships with Jenkins' xunit plug-in).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from core.text import visible
from core.verify.words import count_words, groups, selector_of

if TYPE_CHECKING:
    from core.verify.receipt import Receipt

_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold (section 2.2), once control characters are written out."""


def junit(receipt: Receipt) -> bytes:
    """The receipt's verdicts as an XML document in UTF-8."""
    root = ET.Element("testsuites", name="turnkey verify")
    for group in groups(receipt.verdicts):
        words = [one.verdict for one in group.verdicts]
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_text(group.title),
            tests=str(len(words)),
            failures=str(words.count("fail")),
            skipped=str(words.count("unsure")),
            errors="0",
            timestamp=receipt.at.removesuffix("Z"),
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
            told.text = _text("\n".join(filter(None, (count_words(one), one.fix))))
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", visible(text))
