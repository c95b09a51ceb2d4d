"""`--json` everywhere: whatever a sub-command has to say is JSON on standard output, mistakes included."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.account import Account
from cli.app import main

MISSING: list[list[str]] = [
    ["plan", "nowhere.json"], ["deploy", "nowhere.json"], ["deploy", "nowhere.json", "--detach"],
    ["fit", "nowhere.jsonl"], ["diagnose", "nowhere.log"], ["diagnose", "nowhere.jsonl"], ["diagnose"],
    ["list", "--status", "GONE"], ["list", "--cause", "LUCK"], ["list", "--limit", "0"], ["list", "--limit", "x"],
    ["status"], ["status", "a", "b"], ["open", "--fast", "a"],
]  # fmt: skip
REFUSED: list[list[str]] = [["status", "chat"], ["list"], ["stop", "chat"], ["open", "chat"], ["logs", "chat"]]


def said(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    written = capsys.readouterr()
    assert written.err == ""
    answer: dict[str, Any] = json.loads(written.out)
    return answer


@pytest.mark.parametrize("arguments", MISSING, ids=" ".join)
def test_what_cannot_be_used_is_2_and_says_why(arguments: list[str], capsys: Any) -> None:
    assert main([*arguments, "--json"]) == 2
    answer = said(capsys)
    assert set(answer) == {"error", "status", "findings"}
    assert any(way in answer["error"] for way in ("; give ", "; see: ", "; use one of "))


@pytest.mark.parametrize("arguments", MISSING, ids=" ".join)
def test_without_json_it_is_one_line_on_standard_error(arguments: list[str], capsys: Any) -> None:
    assert main(arguments) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("inservice: ")
    assert written.err.count("\n") == 1


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_what_the_api_refuses_is_1_with_its_status(api: Any, arguments: list[str], capsys: Any) -> None:
    api.answer("GET /deployments", (429, {"message": "Too Many Requests"}))
    assert main([*arguments, "--json"]) == 1
    assert said(capsys)["status"] == 429


def test_a_refusal_of_deploy_has_every_finding(api: Any, given: Any, tmp_path: Any, capsys: Any) -> None:
    request = tmp_path / "request.json"
    request.write_text("{}")
    api.answer("POST /deployments", (422, {"findings": [given.FINDING] * 2}), (409, {"detail": "d-0 runs"}))
    assert main(["deploy", str(request), "--json"]) == 1
    assert said(capsys)["findings"] == [given.FINDING] * 2
    assert main(["deploy", str(request), "--json", "--detach"]) == 1
    assert said(capsys)["status"] == 409


def test_an_endpoint_that_may_not_be_looked_at_is_said_to_be_so(
    api: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}

    class SageMaker:
        def describe_endpoint(self, **_: Any) -> None:
            raise ClientError(error, "DescribeEndpoint")  # type: ignore[arg-type]

    monkeypatch.setattr(Account, "client", lambda self, name: SageMaker())
    assert main(["diagnose", "--endpoint", "chat", "--json"]) == 1
    assert "sagemaker:DescribeEndpoint" in said(capsys)["error"]


def test_an_endpoint_is_diagnosed_where_inservice_was_never_deployed(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Credentials and a region are enough: no stack is looked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INSERVICE_API_URL", raising=False)
    for name, value in (("ACCESS_KEY_ID", "AKIA"), ("SECRET_ACCESS_KEY", "made-up"), ("REGION", "eu-west-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    asked: list[tuple[str, str]] = []

    class Aws:
        def __init__(self, service: str) -> None:
            self.service = service

        def __getattr__(self, operation: str) -> Any:
            asked.append((self.service, operation))
            code = "ValidationException" if self.service == "sagemaker" else "ResourceNotFoundException"
            error = {"Error": {"Code": code, "Message": "Could not find it."}}

            def refuse(**_: Any) -> None:
                raise ClientError(error, operation)  # type: ignore[arg-type]

            return refuse

    monkeypatch.setattr(Account, "client", lambda self, name: Aws(name))
    assert main(["diagnose", "--endpoint", "chat", "--json"]) == 2
    assert "neither an endpoint chat nor a log of it in eu-west-1" in said(capsys)["error"]
    assert asked == [("sagemaker", "describe_endpoint"), ("logs", "filter_log_events")]


def test_an_unknown_profile_is_no_traceback(capsys: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INSERVICE_API_URL", raising=False)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert main(["list", "--json"]) == 1
    assert "nobody" in said(capsys)["error"]


def test_points_and_cases_come_from_standard_input_too(tmp_path: Any) -> None:
    from tests.unit.cli.test_app import run

    for command, field in (("fit", "fits"), ("diagnose", "cause")):
        done = run(command, "-", "--json", stdin='{"id": "a"}\n')
        assert done.returncode == 0
        assert field in json.loads(done.stdout)
