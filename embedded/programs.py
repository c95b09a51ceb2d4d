"""Programs that live exactly as long as the one who started them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from embedded.keeper import FAREWELL, GRACE_SECONDS

_KEEPER = Path(__file__).with_name("keeper.py")
_TAIL_LINES = 30


class PartFailed(Exception):
    """One part of the embedded stack did not work: which, why, and the end of its log."""

    def __init__(self, part: str, why: str, log: str = "") -> None:
        shown = "".join(f"\n  | {line}" for line in log.splitlines())
        super().__init__(f"{part} failed: {why}{shown}")
        self.part = part


class Program:
    """One program under a keeper, in a session of its own, writing to a log."""

    def __init__(
        self, part: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path, cwd: Path,
        leftovers: Sequence[Path] = (),
    ) -> None:  # fmt: skip
        self.part, self.log = part, log
        keeper = [sys.executable, "-I", "-S", str(_KEEPER), *map(str, leftovers), "--", *command]
        with log.open("ab") as sink:
            self._keeper = subprocess.Popen(
                keeper, stdin=subprocess.PIPE, stdout=sink, stderr=sink, cwd=cwd, env=dict(environment),
                start_new_session=True,
            )  # fmt: skip

    def wait_until(self, ready: Callable[[], Any], *, seconds: float) -> Any:
        """What `ready` answers once that is true; PartFailed when the program ends first or time runs out."""
        deadline = time.monotonic() + seconds
        while True:
            if answer := ready():
                return answer
            if (status := self._keeper.poll()) is not None:
                raise self.failed(f"it ended with status {status}")
            if time.monotonic() > deadline:
                raise self.failed(f"it was not ready within {seconds:g} s")
            time.sleep(0.05)

    def finish(self, *, seconds: float) -> None:
        """Waits for the program to end well; PartFailed when it does not."""
        try:
            status = self._keeper.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise self.failed(f"it did not end within {seconds:g} s") from None
        if status:
            raise self.failed(f"it ended with status {status}")

    def ended(self) -> int | None:
        """The exit status, None while the program runs."""
        return self._keeper.poll()

    def stop(self) -> None:
        """Ends the program and everything it started; does nothing the second time."""
        if self._keeper.stdin and not self._keeper.stdin.closed:
            try:
                self._keeper.stdin.write(FAREWELL)
                self._keeper.stdin.close()
            except BrokenPipeError:
                pass
        try:
            self._keeper.wait(timeout=2 * GRACE_SECONDS + 2)
        except subprocess.TimeoutExpired:
            self._keeper.kill()

    def failed(self, why: str) -> PartFailed:
        """The failure of this program, with the end of its log."""
        lines = self.log.read_text(errors="replace").splitlines()
        return PartFailed(self.part, why, "\n".join(lines[-_TAIL_LINES:]))


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answers(url: str) -> bool:
    """Whether something answers at the URL, whatever it says."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def written_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file that another program writes; None until it is whole."""
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return document


def plain_environment(**more: str) -> dict[str, str]:
    """The caller's environment without anything that leads out of this machine or into another Python, plus `more`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "INSERVICE_", "PYTHON", "SAM_", "HF_")) and name.lower() not in _PROXIES
    }
    return {**kept, "NO_PROXY": "*", "no_proxy": "*", **more}


_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
