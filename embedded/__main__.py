"""`python -m embedded`: the stack in the foreground until Ctrl-C or SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
import time

from embedded.programs import PartFailed
from embedded.stack import running


def main() -> int:
    """Runs the stack `TIME_SCALE` times faster than the clock; 1 with the failing part's log when it does not start."""
    try:
        time_scale = float(os.environ.get("TIME_SCALE") or 1)
    except ValueError:
        print("TIME_SCALE must be a number such as 60", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # A shell starts what it puts in the background with SIGINT ignored (POSIX, asynchronous lists); it must end us too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with running(time_scale=time_scale, report=_say) as stack:
            _say(
                f"ready: {stack.api_url}, {time_scale:g} times as fast; .embedded/stack.json has the rest; Ctrl-C stops"
            )
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        return 0
    except PartFailed as failure:
        print(failure, file=sys.stderr)
        return 1


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
