"""`inservice deploy`: what is sent, what is shown on the way, and what the exit status says."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli import following
from cli.app import main

RUNNING = [("IN_PROGRESS", ("queued",)), ("IN_PROGRESS", ("queued", "provision", "load"))]


@pytest.fixture
def request_file(tmp_path: Path) -> str:
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"model": {"hub_id": "org/model"}}))
    return str(file)


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following.follow, "__kwdefaults__", {"every_seconds": 0.0, "sleep": lambda seconds: None})


def deployment(api: Any, given: SimpleNamespace, end: str) -> None:
    """The API takes the request, and the deployment goes through its phases to `end`."""
    api.answer("POST /deployments", (202, given.ACCEPTED))
    seen = [(200, given.outcome(status, *phases)) for status, phases in RUNNING]
    api.answer("GET /deployments/d-1", *seen, (200, given.outcome(end, "queued", "provision", "load", "done")))


def test_a_deployment_is_followed_to_its_end_one_line_per_step(api, given, request_file, capsys) -> None:
    deployment(api, given, "DEPLOYED")
    assert main(["deploy", request_file]) == 0
    shown = capsys.readouterr().out
    assert "volume_size_gb: It was left out. Remove it." in " ".join(shown.split())
    assert [line.split(" ", 1)[1] for line in shown.splitlines() if line.startswith("2026-")] == [
        "queued: Now queued.", "provision: Now provision.", "load: Now load.", "done: Now done.",
    ]  # fmt: skip
    assert api.asked[0][2] == {"model": {"hub_id": "org/model"}}


def test_every_call_is_signed_for_this_api_in_the_callers_region(api, given, request_file) -> None:
    deployment(api, given, "DEPLOYED")
    main(["deploy", request_file])
    assert len(api.signatures) == 4
    assert all("AKIAEXAMPLE/" in signature for signature in api.signatures)
    assert all("/eu-west-1/execute-api/aws4_request" in signature for signature in api.signatures)


def test_what_was_not_deployed_ends_with_its_diagnosis_and_status_1(api, given, request_file, capsys) -> None:
    deployment(api, given, "NOT_DEPLOYED")
    assert main(["deploy", request_file]) == 1
    shown = capsys.readouterr().out
    for told in ("STARTUP_TIMEOUT", "Loading: [21/29]", "health_check_timeout_seconds = 1920"):
        assert told in shown


def test_json_is_the_outcome_alone(api, given, request_file, capsys) -> None:
    deployment(api, given, "NOT_DEPLOYED")
    assert main(["deploy", request_file, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["diagnosis"]["cause"] == "STARTUP_TIMEOUT"


def test_detached_it_returns_at_once_with_the_id(api, given, request_file, capsys) -> None:
    deployment(api, given, "DEPLOYED")
    assert main(["deploy", request_file, "--detach", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["deployment_id"] == "d-1"
    assert [call for call, _, _ in api.asked] == ["POST /deployments"]


def test_a_refusal_names_every_problem_with_its_fix(api, given, request_file, capsys) -> None:
    findings = [given.FINDING | {"field": f"field_{number}", "severity": "error"} for number in range(3)]
    api.answer("POST /deployments", (422, {"findings": findings}))
    assert main(["deploy", request_file]) == 1
    told = capsys.readouterr().err
    assert [f"field_{number}: It was left out. Remove it." in told for number in range(3)] == [True] * 3


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (409, {"detail": "d-0 deploys this endpoint"}, "d-0 deploys this endpoint"),
        (403, {"message": "Forbidden"}, "execute-api:Invoke"),
        (500, "<html>sorry</html>", "<html>sorry</html>"),
    ],
)
def test_other_refusals_are_said_in_words(api, request_file, capsys, status: int, body: Any, told: str) -> None:
    api.answer("POST /deployments", (status, body))
    assert main(["deploy", request_file]) == 1
    shown = capsys.readouterr().err
    assert told in shown
    assert str(status) in shown


@pytest.mark.parametrize("text", ["not json", ""])
def test_an_unreadable_request_is_status_2_and_asks_nothing(api, tmp_path, capsys, text: str) -> None:
    file = tmp_path / "request.json"
    file.write_text(text)
    assert main(["deploy", str(file)]) == 2
    assert main(["deploy", str(tmp_path / "nowhere.json")]) == 2
    told = capsys.readouterr().err
    assert "request.json is not JSON" in told
    assert "nowhere.json cannot be read: No such file" in told
    assert api.asked == []


def test_a_call_that_fails_on_the_way_is_asked_again(api, given, request_file) -> None:
    deployment(api, given, "DEPLOYED")
    hiccups: list[tuple[int, Any]] = [(503, {"detail": "busy"}), (502, "bad gateway")]
    api.answers["GET /deployments/d-1"][1:1] = hiccups
    assert main(["deploy", request_file]) == 0


def test_an_api_that_stays_away_is_reported(api, given, request_file, capsys) -> None:
    api.answer("POST /deployments", (202, given.ACCEPTED))
    api.answer("GET /deployments/d-1", (503, {"detail": "busy"}))
    assert main(["deploy", request_file]) == 1
    assert "busy (HTTP 503)" in capsys.readouterr().err


def test_on_a_terminal_there_is_a_picture_with_phase_window_and_prediction(api, given, request_file) -> None:
    deployment(api, given, "DEPLOYED")
    status, shown = in_a_terminal("deploy", request_file)
    assert status == 0
    for told in ("chat", "IN_PROGRESS", "elapsed", "start-up", "of 15:00", "ready expected at 2:00", "DEPLOYED"):
        assert told in shown, shown
    assert '"timeline"' not in shown


def test_on_a_terminal_a_failure_ends_with_its_cause_proof_and_fix(api, given, request_file) -> None:
    deployment(api, given, "NOT_DEPLOYED")
    steer = "\x1b]0;owned\x07"
    steered = given.outcome("NOT_DEPLOYED", "queued", "done")
    steered["diagnosis"] = steered["diagnosis"] | {"evidence": [f"\x1b[31mLoading: [21/29]{steer}"]}
    api.answers["GET /deployments/d-1"][-1] = (200, steered)
    status, shown = in_a_terminal("deploy", request_file, columns=60)
    assert status == 1
    for told in ("NOT_DEPLOYED", "STARTUP_TIMEOUT", "│ Loading: [21/29]", "health_check_timeout_seconds = 1920"):
        assert told in shown, shown
    assert steer not in shown


def test_whoever_stops_watching_learns_that_the_deployment_goes_on(
    api, given, request_file, capsys, monkeypatch
) -> None:
    deployment(api, given, "DEPLOYED")

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.deploy.follow", interrupt)
    assert main(["deploy", request_file]) == 130
    assert "inservice stop d-1" in capsys.readouterr().out


def in_a_terminal(*arguments: str, columns: int = 140) -> tuple[int, str]:
    """The exit status, and what the command writes to a pseudo-terminal of that width."""
    master, slave = pty.openpty()
    code = (
        "import sys; from cli import following; from cli.app import main; "
        "following.follow.__kwdefaults__['every_seconds'] = 0.6; sys.exit(main())"
    )
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "40"}
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=slave, stderr=slave, env=environment)
    os.close(slave)
    pieces = []
    while piece := _read(master):
        pieces.append(piece)
    os.close(master)
    return process.wait(timeout=30), b"".join(pieces).decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # Linux's way of saying that the other side of a pseudo-terminal is closed.
        return b""
