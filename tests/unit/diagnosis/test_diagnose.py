"""What a diagnosis holds to: shapes of logs, roots before wrappers, remedies from figures, bounded time."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inservice.diagnosis import diagnose
from inservice.diagnosis.facts import Facts

BANNER = "INFO 05-06 07:07:01 [api_server.py:1289] vLLM API server version 0.11.2"
ROOT = "ERROR 05-06 07:08:01 [core.py:708] ModuleNotFoundError: No module named 'einops'"
WRAPPER = "RuntimeError: Engine core initialization failed. See root cause above."
PING = "The primary container for production variant AllTraffic did not pass the ping health check."
JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "server", "image_uri", "inference_ami_version", "predicted_load_seconds", "health_check_timeout_seconds",
    "max_total_tokens", "volume_size_gb", "max_concurrent_requests", "quantization", "log_group_exists",
]  # fmt: skip


def cause(log: str, reason: str | None = None, **config: Any) -> str:
    return diagnose(failure_reason=reason, log=log, facts=Facts.of(config)).cause


@pytest.mark.parametrize(
    "log",
    [
        "\n".join([BANNER, ROOT, WRAPPER]),
        "\r\n".join([BANNER, ROOT, WRAPPER]),
        "\n".join(f"\x1b[2m{line}\x1b[0m" for line in (BANNER, ROOT, WRAPPER)),
        "\n".join(f"#033[31m{line}#033[0m#015" for line in (BANNER, ROOT, WRAPPER)),
        "\n".join(
            json.dumps({"timestamp": "t", "level": "ERROR", "message": line}) for line in (BANNER, ROOT, WRAPPER)
        ),
        "\n".join(f"vllm-1  | {line}" for line in (BANNER, ROOT, WRAPPER)),
        "\n".join(f'1715000000{n},"{line}"' for n, line in enumerate((BANNER, ROOT, WRAPPER))),
    ],
    ids=["plain", "windows", "colours", "exported escapes", "json", "compose", "csv"],
)
def test_every_shape_of_a_log_is_read(log: str) -> None:
    assert cause(log, PING) == "MISSING_DEPENDENCY"


def test_an_export_with_escaped_line_breaks_may_hold_real_ones_too() -> None:
    exported = "\\n".join([BANNER, ROOT, WRAPPER, "INFO a", "INFO b"])
    for shape in (exported, f"{exported}\n", f"logs:\n{exported}", exported.replace("\\n", "\\r\\n") + "\nend"):
        assert cause(shape, PING) == "MISSING_DEPENDENCY"


def test_wrappers_are_never_causes() -> None:
    for line in ("Error: ShardCannotStart", WRAPPER, "Load model failed: model, error: Worker died.", "Killed"):
        assert cause(f"{BANNER}\nValueError: something nobody has seen before\n{line}") == "CRASH_UNKNOWN"


def test_newest_first_exports_are_read_backwards() -> None:
    lines = [f"2025-05-06 07:0{n}:00 INFO step {n}" for n in range(5)]
    lines += ["2025-05-06 07:06:00 ERROR KeyError: 'model.layers.0.mlp.down_proj.qweight'"]
    lines += ["2025-05-06 07:07:00 ERROR NCCL error: remote process exited"]
    assert cause("\n".join(reversed(lines))) == cause("\n".join(lines))


def test_an_error_that_was_survived_is_no_cause() -> None:
    log = f"{BANNER}\nImportError: cannot import name 'x'\nINFO:     Application startup complete."
    assert cause(log) == "HEALTHY"


def test_the_last_attempt_counts() -> None:
    start = f"{BANNER}\nINFO loading\nINFO more\nINFO more"
    first = f"{start}\nERROR requests.exceptions.ReadTimeout: huggingface.co read timed out"
    second = f"{start}\nOSError: [Errno 28] No space left on device"
    assert cause(f"{first}\n{second}") == "DISK_FULL"
    assert cause(f"{first}\n{second}\n{BANNER}\nINFO Starting to load model") == "DISK_FULL"


def test_the_engines_own_figures_become_the_remedy() -> None:
    log = (
        "ValueError: To serve at least one request with the model's max seq len (131072), (16.00 GiB KV cache is "
        "needed, which is larger than the available KV cache memory (3.12 GiB). Based on the available memory, "
        "the estimated maximum model length is 25552."
    )
    found = diagnose(failure_reason=None, log=log, facts=Facts(max_total_tokens=131072, max_input_tokens=130000))
    assert found.remedy is not None
    assert found.remedy.automatic
    assert found.remedy.allow == "tokens"
    assert 20000 < found.remedy.changes["max_total_tokens"] <= 25552
    assert found.remedy.changes["max_input_tokens"] < found.remedy.changes["max_total_tokens"]


def test_a_slow_load_gets_the_window_its_pace_needs() -> None:
    pace = "Loading safetensors checkpoint shards:  33% Completed | 10/30 [05:00<10:00, 30.0s/it]"
    found = diagnose(failure_reason=PING, log=f"{BANNER}\n{pace}", facts=Facts(window_seconds=300))
    assert found.cause == "STARTUP_TIMEOUT"
    assert found.remedy is not None
    assert 900 < found.remedy.changes["health_check_timeout_seconds"] <= 3600


def test_cuda_13_on_the_wrong_host_is_told_from_the_plan() -> None:
    plan = {"server": "vllm", "image_uri": "x/vllm:0.30.0-gpu-py312-cu130-ubuntu24.04", "log_group_exists": False}
    reason = "CannotStartContainerError. Please ensure the model container starts correctly."
    assert diagnose(failure_reason=reason, log=None, facts=Facts.of(plan)).cause == "UNSUPPORTED_GPU"
    right = plan | {"inference_ami_version": "al2023-ami-sagemaker-inference-gpu-4-1"}
    assert diagnose(failure_reason=reason, log=None, facts=Facts.of(right)).cause == "BAD_CONTAINER"


def test_tokens_never_appear_in_evidence() -> None:
    secret = "hf_" + "a" * 34
    found = diagnose(failure_reason=None, log=f"OSError: 401 Client Error: Unauthorized huggingface.co token {secret}")
    assert secret not in found.model_dump_json()


@given(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUE), st.none() | st.text(), st.none() | st.text())
@settings(max_examples=150, deadline=None)
def test_nothing_in_a_config_or_log_makes_it_fail(config: dict[str, Any], log: str | None, reason: str | None) -> None:
    found = diagnose(failure_reason=reason, log=log, facts=Facts.of(config))
    assert 0 <= found.confidence <= 1


HARD = ["a" * 200_000, "error " * 40_000, "KeyError: '" + "a.weight" * 20_000, "max seq len (" * 10_000, "(" * 100_000,
        "CUDA out of memory " * 8_000,
        "No such file or directory " * 8_000, "divisible by tensor " * 10_000]  # fmt: skip


@pytest.mark.parametrize("line", HARD, ids=lambda line: line[:20])
def test_no_line_takes_long(line: str) -> None:
    began = time.process_time()
    diagnose(failure_reason=line[:5000], log="\n".join([line] * 3))
    assert time.process_time() - began < 2


@pytest.mark.slow
def test_a_hundred_thousand_lines_take_less_than_a_second() -> None:
    noise = [
        f"(Worker pid={n % 8}) INFO 04-10 08:58:24 [worker.py:267] step {n} of the profile took {n}ms"
        for n in range(100_000)
    ]
    began = time.process_time()
    found = diagnose(failure_reason=None, log="\n".join([*noise, ROOT, WRAPPER]))
    assert found.cause == "MISSING_DEPENDENCY"
    assert time.process_time() - began < 1


@pytest.mark.parametrize("log", [None, "INFO 05-06 07:07:01 [api_server.py:1289] vLLM API server version 0.11.2"])
def test_a_reason_of_several_lines_is_read_and_quoted_as_it_came(log: str | None) -> None:
    reason = "ClientError:\nThe account-level service limit 'ml.g5.xlarge for endpoint usage'\nis 0 Instances."
    found = diagnose(failure_reason=reason, log=log)
    assert found.cause == "QUOTA"
    assert reason in found.evidence
