"""The simulator's command: starts serving, writes the ready file, and stops everything on SIGTERM."""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from pathlib import Path

import simulator
from simulator.settings import ACCEPTED_TOKEN, Settings
from simulator.simulation import Simulation
from simulator.web import Server


def main() -> None:
    """Serves until SIGTERM or Ctrl-C; every container ends with it."""
    options = _parser().parse_args()
    signal.signal(signal.SIGTERM, _leave)
    simulation = Simulation(_settings(options))
    try:
        server = Server(options.port, simulation)
        if options.ready_file:
            _announce(Path(options.ready_file), server.url)
        print(f"SageMaker hosting is served at {server.url}, {options.time_scale:g} times faster", flush=True)
        server.serve_forever(poll_interval=0.5)
    except (KeyboardInterrupt, SystemExit):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    finally:
        simulation.stop()


def _settings(options: argparse.Namespace) -> Settings:
    return Settings(
        region=options.region, account=options.account, time_scale=options.time_scale,
        epoch=options.epoch if options.epoch is not None else time.time(), engine=options.engine,
        hub_token=options.hub_token, default_quota=options.quota, seed=options.seed,
    )  # fmt: skip


def _announce(ready: Path, url: str) -> None:
    # Renamed into place, so that a reader never sees half of it.
    part = ready.with_name(ready.name + ".part")
    part.write_text(json.dumps({"url": url, "pid": os.getpid()}))
    part.rename(ready)


def _leave(*_: object) -> None:
    raise SystemExit(0)


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=simulator.__doc__)
    parser.add_argument("--port", type=int, default=0, help="the loopback port; 0 takes a free one")
    parser.add_argument("--time-scale", type=_positive, default=1.0, help="how many times faster than the wall clock")
    parser.add_argument("--epoch", type=float, help="Unix time at which virtual and wall clock agree; default: now")
    parser.add_argument("--region", default="us-east-1", help="the region in ARNs and messages")
    parser.add_argument("--account", default="000000000000", help="the account in ARNs and messages")
    parser.add_argument("--engine", help="an AWS emulator for logs, metrics, events, roles and S3, e.g. "
                                         "http://127.0.0.1:4566; credentials from AWS_ACCESS_KEY_ID and "
                                         "AWS_SECRET_ACCESS_KEY")  # fmt: skip
    parser.add_argument("--ready-file", help="written as JSON {url, pid} once requests are served")
    parser.add_argument("--hub-token", default=ACCEPTED_TOKEN, help="the token with access to gated models")
    parser.add_argument(
        "--quota", type=int, default=10, help="instances allowed per type unless a fault says otherwise"
    )
    parser.add_argument("--seed", type=int, default=0, help="varies durations that are drawn per endpoint")
    return parser


if __name__ == "__main__":
    main()
