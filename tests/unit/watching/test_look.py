"""One look at an endpoint: verdicts, phases, crash loops, the log's proof, and when to look again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from inservice.contracts import Endpoint, LoadTime, MemoryBudget, Observation, Plan, Watch
from inservice.ports import EndpointDescription, LogLine
from inservice.watching import look
from inservice.watching.cursor import since_ms

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
BANNER = "INFO 01-05 12:05:00 [api_server.py:1] vLLM API server version 0.11.2"
LOST = "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`."
UNKNOWN_MEMORY = MemoryBudget.model_validate(dict.fromkeys(MemoryBudget.model_fields))
PLAN = Plan(
    server="vllm",
    server_version="0.11.2",
    image_uri="x/vllm:0.11",
    instance_type="ml.g5.2xlarge",
    instance_pools=None,
    tensor_parallel_degree=1,
    environment={},
    health_check_timeout_seconds=900,
    download_timeout_seconds=600,
    volume_size_gb=None,
    inference_ami_version=None,
    memory=UNKNOWN_MEMORY,
    predicted_load_seconds=LoadTime(low=100, likely=200, high=400),
    cost_per_hour_usd=1.5,
)


def endpoint(**changes: Any) -> Endpoint:
    fields: dict[str, Any] = {
        "endpoint_name": "chat",
        "endpoint_arn": "arn",
        "endpoint_config_name": "chat-new",
        "model_names": ("m",),
        "variant_name": "AllTraffic",
        "created": True,
        "log_group": "/aws/sagemaker/Endpoints/chat",
        "started_at": START,
    }
    return Endpoint(**(fields | changes))


def line(text: str, second: float, stream: str = "AllTraffic/i-1") -> LogLine:
    at = int((START.timestamp() + second) * 1000)
    return LogLine(at, stream, text, f"{at}-{stream}-{text}")


def at(
    second: float,
    *texts: str | LogLine,
    status: str = "Creating",
    previous: Watch | None = None,
    on: Endpoint | None = None,
    **described: Any,
) -> Observation:
    lines = [text if isinstance(text, LogLine) else line(text, second) for text in texts]
    return look(
        status=EndpointDescription(status, **({"config_name": "chat-new"} | described)),
        lines=lines or None,
        previous=previous or Watch(),
        endpoint=on or endpoint(),
        plan=PLAN,
        now=START + timedelta(seconds=second),
    )


UPDATE = endpoint(created=False, previous_config_name="chat-old")
EARLIER = START - timedelta(days=1)


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        (at(400, status="InService"), "in_service"),
        (at(400, status="InService", failure_reason="no"), "failed"),
        (at(400, status="Failed", failure_reason=" It failed."), "failed"),
        (at(400, status="UpdateRollbackFailed"), "failed"),
        (at(400, status="Deleting"), "gone"),
        (at(400, status="Deleted"), "gone"),
        (at(400), "going_on"),
        (at(5, status="InService", on=UPDATE, config_name="chat-old", modified_at=EARLIER), "going_on"),
        (at(700, status="InService", on=UPDATE, config_name="chat-old", failure_reason="bad"), "rolled_back"),
        (at(700, status="InService", on=UPDATE, config_name="chat-old"), "rolled_back"),
        (at(700, status="Updating", on=UPDATE, config_name="chat-old", pending=True), "going_on"),
        (at(900 + 600 + 36 * 60), "out_of_time"),
    ],
)
def test_verdicts_follow_sagemaker(seen: Observation, verdict: str) -> None:
    assert seen.verdict == verdict


def test_a_conclusive_line_is_announced_exactly_once() -> None:
    first = at(300, BANNER, LOST)
    assert (first.verdict, first.announce) == ("losing", True)
    assert first.watch.losing is not None
    assert first.watch.losing.cause == "GPU_OOM_KV_CACHE"
    second = at(330, LOST, previous=first.watch)
    assert (second.verdict, second.announce) == ("losing", False)
    assert at(900, status="Failed", previous=second.watch).verdict == "failed"


def test_a_network_fault_is_not_final_before_the_third_start() -> None:
    fault = "requests.exceptions.ReadTimeout: huggingface.co read timed out"
    seen = at(300, BANNER, fault)
    assert seen.verdict == "going_on"
    seen = at(400, BANNER, fault, previous=seen.watch)
    assert seen.verdict == "going_on"
    seen = at(500, BANNER, fault, previous=seen.watch)
    assert (seen.verdict, seen.announce) == ("losing", True)


def test_the_same_banner_three_times_is_a_crash_loop() -> None:
    watch = Watch()
    for second in (300, 400):
        seen = at(second, BANNER, previous=watch)
        assert seen.verdict == "going_on"
        watch = seen.watch
    seen = at(500, BANNER, previous=watch)
    assert seen.verdict == "losing"
    assert seen.watch.losing is not None
    assert seen.watch.losing.cause == "CRASH_UNKNOWN"


def test_two_instances_starting_are_not_a_crash_loop() -> None:
    starts = [line(BANNER, 300 + n, f"AllTraffic/i-{n}") for n in range(3)]
    assert at(310, *starts).verdict == "going_on"


def test_lines_read_twice_count_once() -> None:
    first = at(300, line(BANNER, 295))
    again = at(330, line(BANNER, 295), previous=first.watch)
    assert (again.watch.lines_read, again.watch.banner_count) == (1, 1)


def test_a_late_line_is_still_read() -> None:
    first = at(300, line(BANNER, 299))
    assert since_ms(first.watch, endpoint()) < int((START.timestamp() + 280) * 1000)
    late = at(330, line(LOST, 280), previous=first.watch)
    assert late.verdict == "losing"


def test_lines_of_an_earlier_endpoint_of_that_name_are_ignored() -> None:
    assert at(100, line(LOST, -50)).verdict == "going_on"


def test_a_traceback_cut_between_two_looks_is_read_whole() -> None:
    frames = ["Traceback (most recent call last):", '  File "/x/vllm/worker/worker.py", line 1, in profile_run']
    first = at(300, BANNER, *frames)
    second = at(330, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB", previous=first.watch)
    assert second.watch.losing is not None
    assert second.watch.losing.cause == "GPU_OOM_KV_CACHE"


def test_progress_is_read_and_gives_an_estimate() -> None:
    seen = at(
        300, BANNER, line("Loading safetensors checkpoint shards:  10% Completed | 1/10 [00:10<01:30, 10s/it]", 301)
    )
    seen = at(
        360, "Loading safetensors checkpoint shards:  50% Completed | 5/10 [01:00<01:00, 10s/it]", previous=seen.watch
    )
    assert (seen.phase, seen.progress) == ("load", 0.5)
    assert seen.ready_estimate_at is not None
    assert START + timedelta(seconds=400) < seen.ready_estimate_at < START + timedelta(seconds=600)
    assert seen.window_ends_at is not None


def test_restarts_do_not_move_the_end_of_the_window() -> None:
    first = at(300, line("INFO starting", 290), line(BANNER, 295))
    restarted = at(600, line(BANNER, 590), previous=first.watch)
    again = at(900, line(BANNER, 890), previous=restarted.watch)
    ends = START + timedelta(seconds=290 + PLAN.health_check_timeout_seconds)
    assert [seen.window_ends_at for seen in (first, restarted, again)] == [ends] * 3
    late = at(301, line("INFO entrypoint", 285), previous=first.watch)
    assert late.window_ends_at == ends - timedelta(seconds=5)


def test_during_an_update_the_old_container_does_not_begin_the_window() -> None:
    old = at(100, line('"GET /ping HTTP/1.1" 200', 90, "AllTraffic/i-old"), status="Updating", on=UPDATE)
    assert old.window_ends_at is None
    new = at(300, line(BANNER, 280, "AllTraffic/i-new"), status="Updating", on=UPDATE, previous=old.watch)
    assert new.window_ends_at == START + timedelta(seconds=280 + PLAN.health_check_timeout_seconds)


def old(text: str, second: float) -> LogLine:
    return line(text, second, "AllTraffic/i-old")


def new(text: str, second: float) -> LogLine:
    return line(text, second, "AllTraffic/i-new")


PINGED = '(APIServer pid=1) INFO:     169.254.178.2:4711 - "GET /ping HTTP/1.1" 200 OK'


def test_during_an_update_the_old_instances_neither_hide_a_lost_start_nor_lose_one() -> None:
    asked = {"status": "Updating", "on": UPDATE}
    served = at(100, old(PINGED, 95), old("ERROR torch.OutOfMemoryError: CUDA out of memory.", 96), **asked)
    assert (served.verdict, served.phase) == ("going_on", "provision"), "a request that failed is no failed start"
    started = at(300, new("INFO entrypoint", 280), old(PINGED, 285), new(BANNER, 290), previous=served.watch, **asked)
    assert (started.phase, started.watch.banner_count) == ("image", 1)
    later = at(310, old(PINGED, 305), old(LOST, 306), previous=started.watch, **asked)
    assert later.verdict == "going_on", "the old stream stays known"
    lost = at(330, old(PINGED, 320), new(LOST, 325), old(PINGED, 326), previous=later.watch, **asked)
    assert (lost.verdict, lost.announce) == ("losing", True)
    assert lost.watch.losing is not None
    assert lost.watch.losing.cause == "GPU_OOM_KV_CACHE"


def test_during_an_update_a_silent_new_instance_is_named_though_the_old_one_prints() -> None:
    asked = {"status": "Updating", "on": UPDATE}
    started = at(300, new(BANNER, 290), new("INFO Starting to load model acme/x", 299), **asked)
    later = at(1000, old(PINGED, 995), previous=started.watch, **asked)
    assert "load" in (later.stalled or "")
    served = at(1030, new("INFO:     Application startup complete.", 1020), new(PINGED, 1025), previous=later.watch,
                **asked)  # fmt: skip
    assert served.phase == "ready"


def test_silence_is_named() -> None:
    seen = at(300, BANNER, "INFO Starting to load model acme/x")
    assert at(400, previous=seen.watch).stalled is None
    assert "load" in (at(1000, previous=seen.watch).stalled or "")


def test_state_stays_small() -> None:
    watch = Watch()
    for look_number in range(12):
        flood = [line(f"ERROR {look_number}-{n} " + "x" * 2000, 300 + 30 * look_number + n / 100) for n in range(800)]
        watch = at(330 + 30 * look_number, *flood, previous=watch).watch
    assert len(watch.model_dump_json()) <= 20_000


def test_waits_are_bounded_and_shorter_near_the_end() -> None:
    early = at(60)
    near = at(480, BANNER, "INFO Capturing CUDA graphs")
    assert all(5 <= seen.wait_seconds <= 60 for seen in (early, near, at(300, BANNER, LOST)))
    assert near.wait_seconds <= early.wait_seconds
