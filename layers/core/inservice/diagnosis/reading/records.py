"""Logs whose lines are JSON records, as the text they carry."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from inservice.diagnosis.reading.carriers import speak_for_themselves
from inservice.diagnosis.reading.characters import ANSI, LINE_BREAK

# TGI's own records, which stand between lines of other programs.
_TGIS = '{"timestamp":"'
_TEXTS = ("message", "msg", "log", "textPayload")
_HEADS = ("timestamp", "level", "target")


def are_records(lines: list[str]) -> bool:
    """Whether lines are JSON records, or hold TGI's."""
    records = sum(line.startswith("{") for line in lines[:50])
    return records * 2 > min(len(lines), 50) or any(line.startswith(_TGIS) for line in lines)


def texts_of(lines: Iterable[str], raw: Iterable[str]) -> tuple[list[str], list[str]]:
    """The text of each record in lines, and for each of these the raw line it came from."""
    parsed = [(_parsed(line), line, original) for line, original in zip(lines, raw, strict=True)]
    heads = _HEADS if _levels_are_the_lines(record for record, _, _ in parsed) else ("timestamp", "target")
    texts: list[str] = []
    origin: list[str] = []
    for record, line, original in parsed:
        for part in _parts(record, heads) or [line]:
            texts.append(part)
            origin.append(original)
    return texts, origin


def _parsed(line: str) -> dict[str, Any]:
    """One JSON record, of any nesting: CloudWatch's events hold the server's own records."""
    if not line.startswith("{"):
        return {}
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    inner = _message(record)
    return _parsed(inner) or record if inner.startswith(_TGIS) else record


def _levels_are_the_lines(records: Iterable[dict[str, Any]]) -> bool:
    """Whether records have levels of their own; a collector gives one to all, whatever the line says."""
    flat = [record for record in records if "level" in record and "fields" not in record]
    alike = len({str(record["level"]) for record in flat}) == 1
    return not (alike and speak_for_themselves(_message(record) for record in flat))


def _message(record: dict[str, Any]) -> str:
    fields = record["fields"] if isinstance(record.get("fields"), dict) else record
    return next((fields[key] for key in _TEXTS if isinstance(fields.get(key), str)), "")


def _parts(record: dict[str, Any], heads: tuple[str, ...]) -> list[str]:
    """One record as text lines: TGI's fields.message, Docker's log, or a plain message."""
    parts = [part for part in LINE_BREAK.split(ANSI.sub("", _message(record))) if part.strip()]
    head = " ".join(str(record[key]) for key in heads if isinstance(record.get(key), str))
    return [f"{head}: {parts[0]}" if head else parts[0], *parts[1:]] if parts else []
