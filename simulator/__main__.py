"""The simulator's command: starts serving, writes the ready file, and stops everything on SIGTERM."""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from pathlib import Path

from simulator.clock import Clock
from simulator.engine import engine_at
from simulator.hosting import Hosting
from simulator.server import serve


def main() -> None:
    """Serves until SIGTERM or Ctrl-C; every container ends with it."""
    options = _parser().parse_args()
    clock = Clock(options.time_scale, options.epoch if options.epoch is not None else time.time())
    hosting = Hosting(clock, engine_at(options.engine, options.region), options.region, options.hub_token)
    server = serve(options.port, hosting)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    if options.ready_file:
        # Renamed into place, so that a reader never sees half of it.
        part = Path(f"{options.ready_file}.part")
        part.write_text(json.dumps({"url": url, "pid": os.getpid()}))
        part.rename(options.ready_file)
    print(f"SageMaker hosting is served at {url}, {options.time_scale:g} times faster than the wall clock", flush=True)
    signal.signal(signal.SIGTERM, _leave)
    try:
        server.serve_forever(poll_interval=0.1)
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        hosting.stop()


def _leave(*_: object) -> None:
    raise SystemExit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="the loopback port; 0 takes a free one")
    parser.add_argument("--time-scale", type=float, default=1.0, help="how many times faster than the wall clock")
    parser.add_argument("--epoch", type=float, help="Unix time at which virtual and wall clock agree; default: now")
    parser.add_argument("--region", default="us-east-1", help="the region in ARNs and image addresses")
    parser.add_argument(
        "--engine", help="an AWS emulator that takes the containers' logs, such as http://127.0.0.1:4566"
    )
    parser.add_argument("--ready-file", help="written as JSON {url, pid} once requests are served")
    parser.add_argument(
        "--hub-token",
        default="hf_made_up_token_accepted_by_the_simulator",
        help="the token with access to gated models",
    )
    return parser


if __name__ == "__main__":
    main()
