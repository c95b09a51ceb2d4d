"""TAB: what may stand where. It never prints a complaint and never keeps the shell waiting."""

from __future__ import annotations

import argparse
import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any, get_args

Completer = Callable[..., Iterable[str]]
SHELLS = ("bash", "zsh", "fish")
# A TAB that takes longer than this is felt as a hang; what is not known by then is not offered.
PATIENCE_SECONDS = 2.0
_RUNNING = ("IN_PROGRESS", "LOSING")
_NEWEST = "50"


def answer(parser: argparse.ArgumentParser) -> None:
    """Answers the shell and ends the process, when it is the shell that asks; otherwise does nothing."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser, always_complete_options=False)


def script(shell: str) -> str:
    """What the shell is to evaluate."""
    import argcomplete

    return str(argcomplete.shellcode(["inservice"], use_defaults=False, shell=shell))


def files(*endings: str) -> Completer:
    """Files of these endings, and folders on the way to them."""

    def complete(prefix: str, **_: Any) -> Iterable[str]:
        from argcomplete.completers import FilesCompleter

        return FilesCompleter(endings)(prefix)

    return complete


def nothing(**_: Any) -> Iterable[str]:
    """No offer: a free text."""
    return ()


def words(name: str) -> Completer:
    """The words of a closed list of the contracts, such as Status."""
    return lambda **_: words_of(name)


def words_of(name: str) -> tuple[str, ...]:
    """The closed list itself."""
    from inservice import contracts

    return get_args(getattr(contracts, name))


def names(**_: Any) -> dict[str, str]:
    """Endpoints by name, then deployments by id, newest first, each with how it stands."""
    return _named(_deployments())


def running(**_: Any) -> dict[str, str]:
    """What can be stopped."""
    return _named([one for one in _deployments() if one["status"] in _RUNNING])


def endpoints(**_: Any) -> dict[str, str]:
    """Endpoints by name."""
    return _endpoints(_deployments())


def _named(found: list[dict[str, Any]]) -> dict[str, str]:
    return _endpoints(found) | {one["deployment_id"]: f"{one['endpoint_name']} {one['status']}" for one in found}


def _endpoints(found: list[dict[str, Any]]) -> dict[str, str]:
    """Newest first, so that an endpoint stands as its newest deployment left it."""
    return {one["endpoint_name"]: one["status"] for one in reversed(found)}


def _deployments() -> list[dict[str, Any]]:
    """The newest deployments, as far as the API answers in time."""
    found: list[dict[str, Any]] = []

    def ask() -> None:
        # Whatever goes wrong, a TAB is no place to say so.
        with contextlib.suppress(Exception):
            from cli.api import find_service

            found.extend(find_service().call("GET", "/deployments", None, limit=_NEWEST)["deployments"])

    # A daemon: the process may end while it still waits for an answer.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE_SECONDS)
    return list(found)
