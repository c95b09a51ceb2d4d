"""`inservice plan`: what would run, what was changed and why, memory, time and cost; nothing is created."""

from __future__ import annotations

import json

from inservice.contracts import MemoryBudget, Planning
from inservice.planning import plan_document
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli import telling
from cli.reading import request_of

_BAR = 40


def run(path: str, *, json_output: bool, region: str) -> int:
    """Prints the plan; 0 accepted, 1 refused. Raises Unusable."""
    planning = plan_document(request_of(path), region=region)
    if json_output:
        print(json.dumps(planning.as_json(), indent=2))
    else:
        show(planning, telling.console())
    return 0 if planning.accepted else 1


def show(planning: Planning, console: Console) -> None:
    """The plan for people."""
    verdict = Text("accepted", "bold green") if planning.accepted else Text("refused", "bold red")
    console.print(Text("The request is ").append_text(verdict).append("."))
    telling.tell_findings([finding.as_json() for finding in planning.findings], console)
    if planning.plan is None:
        return
    plan, table = planning.plan, Table(show_header=False, box=None, padding=(0, 2))
    table.add_column()
    # Folded, never cut: an image's address without its end is none.
    table.add_column(overflow="fold")
    table.add_row("runs", f"{plan.server} {plan.server_version or ''} on {plan.instance_type}, "
                  f"tensor parallel {plan.tensor_parallel_degree}")  # fmt: skip
    table.add_row("image", plan.image_uri)
    table.add_row("memory", _bar(plan.memory))
    if plan.predicted_load_seconds:
        load = plan.predicted_load_seconds
        table.add_row("start", f"{load.low}–{load.high} s, likely {load.likely} s; "
                      f"window {plan.health_check_timeout_seconds} s")  # fmt: skip
    cost = "unknown" if plan.cost_per_hour_usd is None else f"{plan.cost_per_hour_usd:.2f} USD an hour at list price"
    table.add_row("cost", cost)
    for name, value in sorted(plan.environment.items()):
        table.add_row("env", f"{name}={value}")
    console.print(table)


def _bar(memory: MemoryBudget) -> Text:
    """One GPU as a bar: weights, overhead, KV cache, and what is kept free."""
    if not memory.gpu_total_gib or memory.weights_gib is None:
        return Text("not known for this model")
    parts = (("weights", memory.weights_gib, "blue"), ("overhead", memory.overhead_gib or 0, "magenta"),
             ("KV cache", memory.kv_cache_gib or 0, "green"))  # fmt: skip
    bar, legend, used = Text(), [], 0
    for name, gib, colour in parts:
        cells = min(_BAR - used, round(gib / memory.gpu_total_gib * _BAR))
        used += cells
        bar.append("█" * cells, colour)
        legend.append(f"{name} {gib:.1f}")
    bar.append("░" * (_BAR - used))
    tokens = f"; {memory.kv_cache_tokens} tokens fit" if memory.kv_cache_tokens else ""
    return bar.append(f" {', '.join(legend)} of {memory.gpu_total_gib:.1f} GiB{tokens}")
