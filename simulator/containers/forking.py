"""The server all containers are forked from: `python -m simulator.containers.forking CONTROL_FD REPORTS_FD`.

It holds nothing but what a container needs, so a fork costs a few milliseconds and little memory of its own. When
the simulator goes, however it goes, the control socket closes, and this process ends with every container.
"""

from __future__ import annotations

import ctypes
import gc
import os
import selectors
import signal
import socket
import sys

from simulator.containers.process import run
from simulator.serving.situation import Situation

# prctl(PR_SET_PDEATHSIG, ...), linux/prctl.h.
_PDEATHSIG = 1


def main() -> None:
    """Forks a container per order, reports each exit, ends with its creator."""
    control = socket.socket(fileno=int(sys.argv[1]))
    reports = socket.socket(fileno=int(sys.argv[2]))
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    children: dict[int, str] = {}
    _die_with_parent()
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        while _step(selector, control, reports, wake_read, children):
            pass
    for child in children:
        os.kill(child, signal.SIGKILL)


def _step(
    selector: selectors.BaseSelector, control: socket.socket, reports: socket.socket, wake: int,
    children: dict[int, str],
) -> bool:  # fmt: skip
    for key, _ in selector.select():
        if key.fileobj is control and not _obey(control, (reports, wake), children):
            return False
        if key.fileobj == wake:
            os.read(wake, 4096)
    _reap(reports, children)
    return True


def _obey(control: socket.socket, others: tuple[socket.socket, int], children: dict[int, str]) -> bool:
    message, descriptors, _, _ = socket.recv_fds(control, 200, 3)
    if not message:
        return False
    order, name, *rest = message.decode().split()
    if order == "start":
        listener, output, specification = descriptors
        child = os.fork()
        if child == 0:
            _become(control, others, listener, output, specification)
        children[child] = name
        for descriptor in descriptors:
            os.close(descriptor)
    else:
        _signal(children, name, int(rest[0]))
    control.sendall(b"done\n")
    return True


def _become(
    control: socket.socket, others: tuple[socket.socket, int], listener: int, output: int, specification: int
) -> None:
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        _die_with_parent()
        control.close()
        others[0].close()
        os.close(others[1])
        with os.fdopen(specification) as source:
            situation = Situation.from_json(source.read())
        code = run(situation, socket.socket(fileno=listener), output)
    finally:
        os._exit(code)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)


def _signal(children: dict[int, str], name: str, number: int) -> None:
    for child, known in children.items():
        if known == name:
            os.kill(child, number)


def _reap(reports: socket.socket, children: dict[int, str]) -> None:
    while children:
        child, status = os.waitpid(-1, os.WNOHANG)
        if child == 0:
            return
        name = children.pop(child, None)
        if name is not None:
            reports.sendall(f"{name} {os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    main()
