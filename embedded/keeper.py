"""Runs one program and ends it, with everything it started, when the one who asked for it is gone.

Started as a script of its own by `embedded.programs`: its standard input is a pipe that only the asker holds open, so
the kernel closes it however the asker ends, SIGKILL included. Nothing but the standard library is imported, so that it
starts quickly.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

GRACE_SECONDS = 5.0
# What the asker writes before it closes the pipe on purpose; nothing at all means that it died.
FAREWELL = b"stop"
# linux/prctl.h
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """`keeper.py LEFTOVER... -- COMMAND...`: the command's exit status; leftovers are removed if the asker died."""
    split = arguments.index("--")
    leftovers, command = [Path(path) for path in arguments[:split]], arguments[split + 1 :]
    # A terminal's Ctrl-C reaches the asker alone, which then stops its programs in order.
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_end_with_keeper(os.getpid())
    )
    signal.signal(signal.SIGTERM, lambda *_: _end(child))
    threading.Thread(target=_end_with_asker, args=(child, leftovers), daemon=True).start()
    status = child.wait()
    _signal_group(child.pid, signal.SIGKILL)
    if _ENDING.is_set():
        _FINISHED.wait(timeout=GRACE_SECONDS + 1)
    return status if status >= 0 else 128 - status


_ENDING, _FINISHED = threading.Event(), threading.Event()


def _end_with_asker(child: subprocess.Popen[bytes], leftovers: list[Path]) -> None:
    said = _all_of_stdin()
    _ENDING.set()
    _end(child)
    if said != FAREWELL:
        for path in leftovers:
            _remove(path)
    _FINISHED.set()


def _all_of_stdin() -> bytes:
    # Not sys.stdin: a thread that waits in a buffered read aborts the interpreter's shutdown.
    said = b""
    while piece := os.read(0, 64):
        said += piece
    return said


def _end(child: subprocess.Popen[bytes]) -> None:
    """Asks the whole group to end, then makes it."""
    _signal_group(child.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=GRACE_SECONDS)
    _signal_group(child.pid, signal.SIGKILL)


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _end_with_keeper(keeper: int):  # type: ignore[no-untyped-def]
    """What the child does before it becomes the command: on Linux, ask to be killed should the keeper be killed."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def ask() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != keeper:
                os._exit(1)

    return ask


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
