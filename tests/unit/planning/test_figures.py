"""The memory model's exam: starts of real servers, each with its source, against what the arithmetic says."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from inservice.planning.fit import fit_point, gpu_total_gib

POINTS = [json.loads(line) for line in (Path(__file__).parent / "points.jsonl").read_text().splitlines()]
NOT_TEXT = ("gemma-3", "VL", "Vision", "mllama")


def answered() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each point with its answer; those that do not say which GPU or model it was are answered with null."""
    pairs = [(point, fit_point(point)) for point in POINTS]
    return [(point, answer) for point, answer in pairs if answer["fits"] is not None]


def errors(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[float]:
    """The KV cache's error as a share of the GPU."""
    return [
        abs(answer["kv_gib"] - point["kv_gib"]) / (gpu_total_gib(point) or 1)
        for point, answer in pairs
        if point.get("kv_gib")
    ]


def test_the_verdict_is_right_in_96_of_100_and_hardly_a_point_is_left_out() -> None:
    pairs = answered()
    right = sum(answer["fits"] == (point["outcome"] == "ok") for point, answer in pairs)
    assert right / len(pairs) >= 0.96
    assert len(pairs) / len(POINTS) >= 0.88


def test_it_never_says_fits_where_it_did_not() -> None:
    assert not [point["id"] for point, answer in answered() if answer["fits"] and point["outcome"] != "ok"]


def test_the_cache_is_predicted_to_a_hundredth_of_the_gpu() -> None:
    pairs = answered()
    assert statistics.median(errors(pairs)) <= 0.012
    text = [
        (point, answer)
        for point, answer in pairs
        if point.get("tp", 1) <= 4 and not any(mark in json.dumps(point["arch_ref"]) for mark in NOT_TEXT)
    ]
    assert sorted(errors(text))[int(0.9 * len(errors(text)))] <= 0.05


def test_what_cannot_be_known_is_null_and_nonsense_is_an_error() -> None:
    assert fit_point({"id": "x", "engine": "vllm", "arch_ref": "someone/unknown", "gpu": "L4"})["fits"] is None
    assert "error" in fit_point({"id": "x", "engine": "vllm", "arch_ref": "Qwen/Qwen3-8B", "gpu": "L4", "tp": "many"})
    assert "error" in fit_point([1])
