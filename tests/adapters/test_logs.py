"""An endpoint's log: complete to the last page, and of a huge one both ends."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from inservice.adapters.logs import CloudWatchLogs
from inservice.ports import LogLine

GROUP = "/aws/sagemaker/Endpoints/chat"
PAGE = 10


class Pages:
    """FilterLogEvents over lines of 100 bytes, ten to a page; counts the pages that were asked for."""

    def __init__(self, count: int) -> None:
        self.messages = [f"line {number:06d} ".ljust(100, ".") for number in range(count)]
        self.asked = 0

    def filter_log_events(self, logGroupName: str, startTime: int, nextToken: str = "0") -> dict[str, Any]:
        assert logGroupName == GROUP
        self.asked += 1
        begin = int(nextToken)
        events = [
            {"eventId": str(at), "timestamp": at, "logStreamName": "AllTraffic/i-1", "message": self.messages[at]}
            for at in range(begin, min(begin + PAGE, len(self.messages)))
        ]
        more = begin + PAGE < len(self.messages)
        return {"events": events} | ({"nextToken": str(begin + PAGE)} if more else {})


def numbers(lines: list[LogLine] | None) -> list[int]:
    assert lines is not None
    return [line.at_ms for line in lines]


def test_reading_on_stops_at_the_bound_and_can_go_on_from_there() -> None:
    assert numbers(CloudWatchLogs(Pages(100)).read(GROUP, 0, max_bytes=2_500)) == list(range(30))


@pytest.mark.parametrize("count", [0, 7, 50, 60])
def test_a_log_within_the_bound_is_read_whole(count: int) -> None:
    assert numbers(CloudWatchLogs(Pages(count)).read_both_ends(GROUP, 0, max_bytes=6_000)) == list(range(count))


def test_of_a_huge_log_the_first_start_and_the_last_lines_are_kept() -> None:
    pages = Pages(5_000)
    kept = numbers(CloudWatchLogs(pages).read_both_ends(GROUP, 0, max_bytes=6_000))
    assert kept[:30] == list(range(30))
    assert kept[-20:] == list(range(4_980, 5_000)), "the end is what a log is read for"
    assert len(kept) <= 60, "memory is bounded"
    assert pages.asked == 500


def test_a_log_without_a_group_is_none() -> None:
    class Absent:
        def filter_log_events(self, **_: Any) -> dict[str, Any]:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "FilterLogEvents")

    assert CloudWatchLogs(Absent()).read_both_ends(GROUP, 0, max_bytes=6_000) is None
