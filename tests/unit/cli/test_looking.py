"""`inservice status`, `list`, `stop`, `open`, and where the command looks for the service."""

import json
from pathlib import Path

import pytest
from inservice.clock import Clock

from cli.api import find_service
from cli.app import main
from cli.problems import ApiError

DONE = {
    "deployment_id": "d-1", "endpoint_name": "chat", "status": "DEPLOYED", "phase": "done", "progress": 1.0,
    "plan": None, "diagnosis": None, "attempts": [],
    "timeline": [{"at": "2026-11-24T12:00:00Z", "phase": "done", "detail": "Deployed."}],
    "cost_usd": 0.21, "links": {"page": "http://127.0.0.1:1/page#id=d-1"}, "findings": [],
}  # fmt: skip


def test_status_by_id(api, capsys) -> None:
    api.answer("GET /deployments/d-1", (200, DONE))
    assert main(["status", "d-1"]) == 0
    assert "DEPLOYED" in capsys.readouterr().out


def test_status_by_endpoint_is_its_newest_deployment(api, capsys) -> None:
    api.answer("GET /deployments", (200, {"deployments": [DONE], "next": None}))
    assert main(["status", "chat", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == DONE
    assert api.asked[0][1] == "endpoint_name=chat&limit=1"


def test_status_of_what_was_not_deployed_is_1(api) -> None:
    api.answer("GET /deployments/d-1", (200, DONE | {"status": "NOT_DEPLOYED"}))
    assert main(["status", "d-1", "--json"]) == 1


def test_an_unknown_name_says_where_to_look(api, capsys) -> None:
    api.answer("GET /deployments", (200, {"deployments": [], "next": None}))
    assert main(["status", "d-9"]) == 1
    assert "inservice list" in capsys.readouterr().err


def test_an_error_is_json_when_json_was_asked(api, capsys) -> None:
    api.answer("GET /deployments", (503, {"detail": "busy"}))
    assert main(["list", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["status"] == 503


def test_a_list_is_read_page_by_page_as_far_as_asked(api, capsys) -> None:
    api.answer(
        "GET /deployments",
        (200, {"deployments": [DONE] * 2, "next": "more"}),
        (200, {"deployments": [DONE], "next": None}),
    )
    assert main(["list", "--endpoint", "chat", "--status", "DEPLOYED", "--limit", "5", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["deployments"]) == 3
    assert [query for _, query, _ in api.asked] == [
        "endpoint_name=chat&status=DEPLOYED&limit=5",
        "endpoint_name=chat&status=DEPLOYED&limit=3&next=more",
    ]


def test_a_list_for_people_has_one_line_each(api, capsys) -> None:
    api.answer("GET /deployments", (200, {"deployments": [DONE], "next": None}))
    main(["list"])
    assert "d-1" in capsys.readouterr().out.splitlines()[1]


def test_stop_asks_for_the_end_and_says_what_happens(api, capsys) -> None:
    api.answer("GET /deployments/d-1", (200, DONE))
    api.answer("DELETE /deployments/d-1", (202, DONE | {"status": "IN_PROGRESS"}), (200, DONE))
    assert main(["stop", "d-1"]) == 0
    assert "Stopping d-1" in capsys.readouterr().out
    assert main(["stop", "d-1"]) == 0
    assert "already ended" in capsys.readouterr().out


def test_open_says_where_the_page_is_when_there_is_no_screen(api, capsys) -> None:
    api.answer("GET /deployments/d-1", (200, DONE))
    assert main(["open", "d-1"]) == 0
    assert capsys.readouterr().out.strip() == "http://127.0.0.1:1/page#id=d-1"


def test_an_address_where_nobody_answers_is_said(monkeypatch: pytest.MonkeyPatch, api, capsys) -> None:
    monkeypatch.setenv("INSERVICE_API_URL", "http://127.0.0.1:9/v1")
    assert main(["list"]) == 1
    assert "does not answer" in capsys.readouterr().err


def test_the_stack_of_this_folder_is_found(tmp_path: Path) -> None:
    announced = tmp_path / ".embedded" / "stack.json"
    announced.parent.mkdir()
    announced.write_text(
        json.dumps(
            {
                "api_url": "http://127.0.0.1:1/v1", "region": "us-east-1", "access_key_id": "AKIA",
                "secret_access_key": "made-up", "time_scale": 60, "time_epoch": 1.5, "aws_endpoint_url": "http://127.0.0.1:1",
                "sagemaker_endpoint_url": "http://127.0.0.1:2",
            }
        )
    )  # fmt: skip
    service = find_service({}, tmp_path)
    assert (service.api_url, service.time_scale) == ("http://127.0.0.1:1/v1", 60)
    assert service.clock == Clock(60, 1.5)
    assert service.client("logs").meta.endpoint_url == "http://127.0.0.1:1"
    assert service.client("sagemaker").meta.endpoint_url == "http://127.0.0.1:2"
    announced.write_text("{}")
    with pytest.raises(ApiError, match="remove it"):
        find_service({}, tmp_path)
