"""List operations: filters, order and pages."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from simulator.wire.errors import validation

_DEFAULT_PAGE = 10


def page(key: str, rows: list[dict[str, Any]], asked: dict[str, Any], name: str = "") -> dict[str, Any]:
    """The rows that a List request asks for, under `key`; `name` is the member that NameContains looks at."""
    kept = [row for row in rows if _wanted(row, asked, name)]
    order = {"Name": name, "Status": "EndpointStatus"}.get(asked.get("SortBy", ""), "CreationTime")
    descending = asked.get("SortOrder", "Descending") == "Descending"
    kept.sort(key=lambda row: (row.get(order) or row["CreationTime"], row.get(name, "")), reverse=descending)
    begin, size = _decoded(asked.get("NextToken")), asked.get("MaxResults") or _DEFAULT_PAGE
    more = {"NextToken": _encoded(begin + size)} if begin + size < len(kept) else {}
    return {key: kept[begin : begin + size], **more}


def _wanted(row: dict[str, Any], asked: dict[str, Any], name: str) -> bool:
    contains, status = asked.get("NameContains"), asked.get("StatusEquals")
    return (
        (contains is None or contains.lower() in row.get(name, "").lower())
        and (status is None or row.get("EndpointStatus") == status)
        and all(_in_time(row, asked, member) for member in ("CreationTime", "LastModifiedTime"))
    )


def _in_time(row: dict[str, Any], asked: dict[str, Any], member: str) -> bool:
    after, before = asked.get(f"{member}After"), asked.get(f"{member}Before")
    at = row.get(member, 0)
    return (after is None or at > float(after)) and (before is None or at < float(before))


def _encoded(begin: int) -> str:
    return base64.b64encode(f"after:{begin}".encode()).decode()


def _decoded(token: str | None) -> int:
    if not token:
        return 0
    try:
        word, _, number = base64.b64decode(token, validate=True).decode().partition(":")
        if word == "after":
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise validation("The provided NextToken is not valid.")
