"""A program lives exactly as long as the one who started it, however that one ends."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from embedded.programs import PartFailed, Program, free_port, plain_environment

PROJECT = Path(__file__).parents[2]
# A program with a child that ignores SIGTERM, as the engine has functions that are busy.
STUBBORN_FAMILY = """
import os, signal, subprocess, sys, time
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", deaf])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
ASKER = """
import json, sys, time
from pathlib import Path
from embedded.programs import Program, plain_environment
folder = Path(sys.argv[1])
Program("family", [sys.executable, "-c", sys.argv[2]], environment=plain_environment(), log=folder / "log",
        cwd=folder, leftovers=[folder / "state"])
time.sleep(600)
"""


def started(tmp_path: Path, source: str) -> Program:
    return Program(
        "part", [sys.executable, "-c", textwrap.dedent(source)], environment=plain_environment(),
        log=tmp_path / "log", cwd=tmp_path,
    )  # fmt: skip


def family(log: Path) -> list[int]:
    """The process ids the family printed, once it has."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if log.exists() and (words := log.read_text().split()):
            return [int(word) for word in words]
        time.sleep(0.02)
    raise AssertionError("the family never started")


def gone(processes: list[int], *, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not any(alive(process) for process in processes):
            return True
        time.sleep(0.02)
    return False


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def test_a_stopped_program_takes_its_children_with_it_even_stubborn_ones(tmp_path: Path) -> None:
    program = started(tmp_path, STUBBORN_FAMILY)
    members = family(tmp_path / "log")
    program.stop()
    assert gone(members, within=2)
    program.stop()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_asker_is_killed_nothing_stays_behind(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "file").write_text("state of the stack")
    asker = subprocess.Popen(
        [sys.executable, "-c", ASKER, str(tmp_path), STUBBORN_FAMILY],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PROJECT), str(PROJECT / "layers/core")])},
    )
    members = family(tmp_path / "log")
    asker.send_signal(number)
    asker.wait(timeout=10)
    assert gone(members, within=15)
    deadline = time.monotonic() + 5
    while (tmp_path / "state").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not (tmp_path / "state").exists()


def test_a_program_that_fails_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    program = started(tmp_path, "print('first'); print('the reason'); raise SystemExit(3)")
    with pytest.raises(PartFailed) as failure:
        program.finish(seconds=20)
    assert failure.value.part == "part"
    assert "status 3" in str(failure.value)
    assert str(failure.value).splitlines()[-1] == "  | the reason"


def test_a_program_that_ends_before_it_is_ready_is_not_waited_for(tmp_path: Path) -> None:
    program = started(tmp_path, "raise SystemExit('no port')")
    began = time.monotonic()
    with pytest.raises(PartFailed, match="no port"):
        program.wait_until(lambda: None, seconds=60)
    assert time.monotonic() - began < 20


def test_a_program_that_is_never_ready_says_so(tmp_path: Path) -> None:
    program = started(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(PartFailed, match=r"not ready within 0\.2 s"):
        program.wait_until(lambda: None, seconds=0.2)
    program.stop()


def test_a_good_program_finishes_and_its_output_is_kept(tmp_path: Path) -> None:
    started(tmp_path, "import json, os; print(json.dumps('AWS_PROFILE' in os.environ))").finish(seconds=20)
    assert json.loads((tmp_path / "log").read_text()) is False


def test_nothing_that_leads_out_of_the_machine_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "HTTPS_PROXY", "PYTHONPATH", "INSERVICE_API_URL"):
        monkeypatch.setenv(name, "leads elsewhere")
    handed_on = plain_environment(AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert not {"AWS_PROFILE", "HTTPS_PROXY", "PYTHONPATH", "INSERVICE_API_URL"} & handed_on.keys()
    assert handed_on["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"


def test_free_ports_can_be_listened_on() -> None:
    assert 1024 < free_port() < 65536
