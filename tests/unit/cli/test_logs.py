"""`inservice logs`: every line once, late ones and the last page included."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli import logs
from cli.problems import ApiError

GROUP = "/aws/sagemaker/Endpoints/chat"


def event(at: int, message: str) -> dict[str, Any]:
    return {"eventId": message, "timestamp": at, "logStreamName": "AllTraffic/i-1", "message": message}


class FakeLogs:
    """CloudWatch Logs, to be read in pages of two; `looks` are what has arrived at each look."""

    def __init__(self, *looks: list[dict[str, Any]]) -> None:
        self._looks, self._look = looks, -1
        self.started_at: list[int] = []

    def filter_log_events(self, logGroupName: str, startTime: int, nextToken: str = "0") -> dict[str, Any]:
        assert logGroupName == GROUP
        if nextToken == "0":
            self._look = min(self._look + 1, len(self._looks) - 1)
            self.started_at.append(startTime)
        at, arrived = int(nextToken), [one for one in self._looks[self._look] if one["timestamp"] >= startTime]
        page: dict[str, Any] = {"events": arrived[at : at + 2]}
        return page | ({"nextToken": str(at + 2)} if at + 2 < len(arrived) else {})


class FakeService:
    """One deployment that has these statuses, one per look."""

    time_scale = 1.0

    def __init__(self, client: Any, *statuses: str) -> None:
        self._client, self._statuses = client, list(statuses)

    def client(self, service: str) -> Any:
        return self._client

    def call(self, method: str, path: str, *_: Any, **query: Any) -> dict[str, Any]:
        status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
        return {"deployment_id": "d-1", "endpoint_name": "chat", "status": status}


def read(client: Any, *statuses: str, follow: bool) -> int:
    return logs.run(
        "d-1", follow=follow, json_output=False, service=FakeService(client, *statuses), sleep=lambda seconds: None
    )  # type: ignore[arg-type]


def messages(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()]


def test_every_page_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    read(FakeLogs([event(at * 1000, f"line {at}") for at in range(5)]), "DEPLOYED", follow=False)
    assert messages(capsys) == [f"line {at}" for at in range(5)]


def test_following_gives_each_line_once_and_waits_for_late_ones(capsys: pytest.CaptureFixture[str]) -> None:
    first, late, last = event(100_000, "first"), event(99_000, "late"), event(101_000, "last")
    client = FakeLogs([first], [late, first], [late, first], [late, first, last])
    read(client, "IN_PROGRESS", "IN_PROGRESS", "NOT_DEPLOYED", follow=True)
    assert messages(capsys) == ["first", "late", "last"]
    assert client.started_at[1] == 100_000 - 60_000


def test_an_endpoint_without_a_log_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    assert read(Absent("ResourceNotFoundException"), "DEPLOYED", follow=False) == 0
    assert messages(capsys) == []


def test_a_log_that_may_not_be_read_names_the_right_that_is_missing() -> None:
    with pytest.raises(ApiError, match="logs:FilterLogEvents"):
        read(Absent("AccessDeniedException"), "DEPLOYED", follow=False)


class Absent:
    """A log group that answers with an error."""

    def __init__(self, code: str) -> None:
        self._code = code

    def filter_log_events(self, **_: Any) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, "FilterLogEvents")
