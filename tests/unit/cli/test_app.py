"""The command as a user types it: a log in a file, a log on standard input, cases by the line, and a wrong path."""

import json
import subprocess
import sys
from pathlib import Path

LOG = (
    "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB. "
    "GPU 0 has a total capacity of 21.99 GiB"
)
CASES = json.dumps({"id": "a", "failure_reason": None, "log": LOG, "config": None}) + "\nnot json\n"


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import sys; from cli.app import main; sys.exit(main())", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)


def test_a_log_file_is_diagnosed_for_a_person(tmp_path: Path) -> None:
    log = tmp_path / "endpoint.log"
    log.write_text(LOG)
    done = run("diagnose", str(log))
    assert done.returncode == 0
    assert "GPU_OOM" in done.stdout
    assert "Tried to allocate" in done.stdout


def test_a_log_on_standard_input_is_answered_as_json() -> None:
    done = run("diagnose", "-", "--json", stdin=LOG)
    assert json.loads(done.stdout)["cause"].startswith("GPU_OOM")


def test_cases_are_answered_in_order_and_an_unreadable_line_does_not_stop_the_rest(tmp_path: Path) -> None:
    cases = tmp_path / "cases.jsonl"
    cases.write_text(CASES + CASES)
    answers = [json.loads(line) for line in run("diagnose", str(cases)).stdout.splitlines()]
    assert [answer.get("id") for answer in answers if "cause" in answer] == ["a", "a"]
    assert ["error" in answer for answer in answers] == [False, True, False, True]


def test_a_missing_file_is_named_with_what_to_give_instead() -> None:
    done = run("diagnose", "nowhere.log")
    assert done.returncode == 2
    assert "nowhere.log" in done.stderr
    assert "Traceback" not in done.stderr
