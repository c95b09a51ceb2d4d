"""TAB: the shells' own completion with the script that the command prints, live names included."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, get_args

import pytest
from inservice.contracts import Cause, Status

from cli import completion

COMMANDS = {"plan", "fit", "diagnose", "deploy", "status", "list", "stop", "open", "logs", "completion"}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a stack, in which no shell finds an API; the command is on the path there."""
    for name in ("INSERVICE_API_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bash(line: str) -> tuple[set[str], str]:
    """What bash offers for the line, and whatever was printed on the way."""
    words = line.split(" ")
    code = f"""
        eval "$(inservice completion bash)"
        COMP_LINE={shlex.quote(line)} COMP_POINT={len(line)} COMP_TYPE=9 COMP_CWORD={len(words) - 1}
        COMP_WORDS=({" ".join(shlex.quote(word) for word in words)})
        _python_argcomplete inservice {shlex.quote(words[-1])} {shlex.quote(words[-2])}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, timeout=60)
    return {word.strip() for word in done.stdout.splitlines() if word.strip()}, done.stderr


def live(api: Any, *deployments: tuple[str, str, str]) -> None:
    listed = [{"deployment_id": found, "endpoint_name": name, "status": status} for found, name, status in deployments]
    api.answer("GET /deployments", (200, {"deployments": listed, "next": None}))


def test_bash_is_told_the_commands_and_their_options(here: Path) -> None:
    assert bash("inservice ") == (COMMANDS, "")
    assert bash("inservice list --")[0] == {"--help", "--json", "--endpoint", "--status", "--cause", "--limit"}


def test_closed_lists_are_offered_whole(here: Path) -> None:
    assert bash("inservice list --status ")[0] == set(get_args(Status))
    assert bash("inservice list --cause ")[0] == set(get_args(Cause))
    assert bash("inservice list --cause GPU_OOM")[0] == {"GPU_OOM_WEIGHTS", "GPU_OOM_KV_CACHE"}
    assert bash("inservice completion ")[0] == {"bash", "zsh", "fish"}


def test_files_are_offered_by_what_they_can_be(here: Path) -> None:
    for name in ("wish.json", "cases.jsonl", "endpoint.log"):
        (here / name).touch()
    assert bash("inservice deploy ")[0] == {"home/", "wish.json"}
    assert bash("inservice fit c")[0] == {"cases.jsonl"}
    assert bash("inservice diagnose ")[0] == {"home/", "wish.json", "cases.jsonl", "endpoint.log"}


def test_names_come_from_the_api(here: Path, api: Any) -> None:
    live(api, ("d-2", "chat", "IN_PROGRESS"), ("d-1", "chat", "DEPLOYED"), ("d-0", "draft", "NOT_DEPLOYED"))
    assert bash("inservice status ")[0] == {"chat", "draft", "d-0", "d-1", "d-2"}
    assert bash("inservice stop ")[0] == {"chat", "d-2"}
    assert bash("inservice list --endpoint ")[0] == {"chat", "draft"}


def test_without_an_api_nothing_is_offered_and_nothing_is_said(here: Path) -> None:
    assert bash("inservice status ") == (set(), "")


def test_an_api_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr("cli.api.find_service", lambda: time.sleep(60))
    began = time.monotonic()
    assert list(completion.names()) == []
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_each_shell_reads_its_script(here: Path, shell: str) -> None:
    """Where the shell is not installed, its script is at least there."""
    script = completion.script(shell)
    assert "inservice" in script
    if shutil.which(shell):
        done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_tab_loads_nothing_that_it_does_not_need() -> None:
    code = "import sys, cli.app; print(*(m for m in ('rich', 'botocore', 'pydantic') if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert json.dumps(done.stdout.split()) == "[]"
