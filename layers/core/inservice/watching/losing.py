"""Whether the log already proves that a start is lost, while SageMaker still says Creating."""

from __future__ import annotations

from inservice.contracts import Diagnosis, Plan, Watch
from inservice.diagnosis import diagnose
from inservice.diagnosis.evidence import quoted
from inservice.diagnosis.facts import Facts
from inservice.diagnosis.progress import banner_of, mark_of
from inservice.diagnosis.reading.log import loud
from inservice.ports import LogLine
from inservice.watching.phases import Standing

# Lines of earlier looks that are diagnosed again with the new ones, so that a traceback cut in two is still read whole.
_MOST_TAIL, _LONGEST_LINE = 40, 240
# SageMaker restarts a container that exits until the window ends, so a lone error is retried there and then;
# an error of this confidence comes back every time, and the third banner shows that anything else does too.
_CONCLUSIVE = 0.85
_RESTARTS = 3
# What a second start may cure: the network, the hub and the neighbours of a shared host.
_MAY_PASS = {"MODEL_DOWNLOAD_FAILED", "NETWORK_VPC", "SHARDING_ERROR", "STARTUP_TIMEOUT", "CRASH_UNKNOWN", "CAPACITY"}
_NOTHING = {"HEALTHY", "LOADING", "UNKNOWN"}


def losing_after(previous: Watch, fresh: list[LogLine], here: Standing, plan: Plan) -> Diagnosis | None:
    """The diagnosis that proves the start lost; None while it may still succeed."""
    if not fresh or here.phase == "ready":
        return None
    text = "\n".join([*previous.tail, *(line.message for line in fresh)])
    found = diagnose(failure_reason=None, log=text, facts=Facts.of_plan(plan))
    again_and_again = here.banner_count >= _RESTARTS * _instances(fresh)
    if found.cause in _NOTHING:
        return _crash_loop(here, text, found) if again_and_again else None
    if again_and_again:
        return found
    return found if conclusive(found) else None


def conclusive(found: Diagnosis) -> bool:
    """Whether a start with this failure is lost at its first error, whatever its restarts may bring."""
    return found.confidence >= _CONCLUSIVE and found.cause not in _MAY_PASS | _NOTHING


def telling_tail(previous: Watch, fresh: list[LogLine]) -> tuple[str, ...]:
    """The most telling lines so far: the newest that are not mere progress, bounded in number and length."""
    kept = [*previous.tail]
    recent = fresh[-400:]
    for line in recent:
        said = quoted(line.message)[:_LONGEST_LINE]
        if said and (banner_of(said) or (loud(said) and not mark_of(said))):
            kept.append(said)
    return tuple(kept[-_MOST_TAIL:])


def _crash_loop(here: Standing, text: str, found: Diagnosis) -> Diagnosis:
    return Diagnosis(
        cause="CRASH_UNKNOWN",
        confidence=0.8,
        summary=f"The server has started {here.banner_count} times and ended each time without saying why.",
        evidence=found.evidence or tuple(quoted(line) for line in text.splitlines()[-3:]),
        remedy=None,
    )


def _instances(fresh: list[LogLine]) -> int:
    return max(1, len({line.stream for line in fresh}))
