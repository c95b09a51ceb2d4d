"""The real `sam build`, for this machine's own Python, kept by what went into it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
import time
import uuid
from pathlib import Path

from embedded.programs import Program, plain_environment

PROJECT = Path(__file__).parents[1]
RUNTIME = f"python3.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
# Everything that sam build reads; a change to any of it is another build.
_SOURCES = ("functions", "layers", "statemachine", "web/index.html", "pyproject.toml", "uv.lock")
_BUILD_SECONDS = 300.0
_KEPT_BUILDS = 4


class Build:
    """One build under way or already there; `finish` answers with its template."""

    def __init__(self, template: Path, state: Path) -> None:
        self._finished = PROJECT / ".embedded" / "builds" / _content_of(template)
        self._program = None if self._finished.is_dir() else _start(template, self._partial(), state)

    def finish(self) -> Path:
        """The built template; PartFailed with the end of sam's log when sam build failed."""
        if self._program is not None:
            self._program.finish(seconds=_BUILD_SECONDS)
            _take_place(self._partial(), self._finished)
            _forget_older(self._finished)
        os.utime(self._finished)
        return self._finished / "template.yaml"

    def stop(self) -> None:
        """Ends a build that is under way."""
        if self._program is not None:
            self._program.stop()
            shutil.rmtree(self._partial(), ignore_errors=True)

    def _partial(self) -> Path:
        # Beside its final place: sam writes paths relative to the folder it builds into.
        if not hasattr(self, "_partial_name"):
            self._partial_name = f"partial-{uuid.uuid4().hex[:12]}"
        return self._finished.with_name(self._partial_name)


def sam_environment(state: Path) -> dict[str, str]:
    """What sam needs to stay on this machine: no telemetry, no look for a newer version."""
    folder = state / "sam"
    folder.mkdir(exist_ok=True)
    (folder / "metadata.json").write_text(json.dumps({"lastVersionCheck": time.time(), "telemetryEnabled": False}))
    return plain_environment(SAM_CLI_TELEMETRY="0", __SAM_CLI_APP_DIR=str(folder), AWS_DEFAULT_REGION="us-east-1")


def sam() -> str:
    """The SAM CLI of this virtual environment."""
    return str(Path(sys.executable).with_name("sam"))


def parameters() -> list[str]:
    """The template's parameters that fit the functions to this machine."""
    return [f"Runtime={RUNTIME}", f"Architecture={ARCHITECTURE}"]


def _start(template: Path, target: Path, state: Path) -> Program:
    target.parent.mkdir(parents=True, exist_ok=True)
    environment = {
        **sam_environment(state),
        "LAYER_PYTHON_VERSION": f"3.{sys.version_info.minor}",
        "LAYER_PLATFORM": "",
        # The functions' first start must not compile every package; a zip does not keep times to the second.
        "LAYER_INSTALL_FLAGS": f"--python {getattr(sys, '_base_executable', sys.executable)} --compile-bytecode",
        "PYC_INVALIDATION_MODE": "UNCHECKED_HASH",
    }
    command = [sam(), "build", "--template-file", str(template), "--build-dir", str(target)]
    return Program(
        "sam build", [*command, "--parameter-overrides", " ".join(parameters())],
        environment=environment, log=state / "sam-build.log", cwd=state, leftovers=(target,),
    )  # fmt: skip


def _content_of(template: Path) -> str:
    digest = hashlib.sha256(f"{sys.version}{platform.machine()}{template}".encode())
    paths = [template, *(file for source in _SOURCES for file in _files(PROJECT / source))]
    for path in paths:
        digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:20]


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    return sorted(path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _take_place(partial: Path, finished: Path) -> None:
    """Two stacks may have built the same at once; the first one in place stays."""
    try:
        partial.rename(finished)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
    if not finished.is_dir():
        raise FileNotFoundError(finished)


def _forget_older(newest: Path) -> None:
    builds = sorted(newest.parent.glob("[!p]*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in builds[_KEPT_BUILDS:]:
        shutil.rmtree(folder, ignore_errors=True)
