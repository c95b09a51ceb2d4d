"""How vLLM speaks: log records, tracebacks and refusals, worded as the version words them."""

from __future__ import annotations

from simulator.serving.situation import Situation, numbers
from simulator.serving.story import Story
from simulator.serving.vllm_arguments import Arguments


class Voice:
    """One server's output; what it knows of itself is its situation and its arguments."""

    def __init__(self, situation: Situation, story: Story, arguments: Arguments, name: str) -> None:
        self.situation, self.story, self.arguments, self.name = situation, story, arguments, name
        self.downloaded = False
        self.text_version = situation.engine_version
        self.version = numbers(self.text_version)
        self.tensor_parallel = arguments.number("tensor-parallel-size", 1)
        self.quantization = arguments.text("quantization")

    def log(self, text: str, place: str, level: str = "INFO", after: float = 0.0, core: bool = False) -> None:
        """One record in the version's format."""
        self.story.wait(after)
        where = f"[{place}]" if self.version >= (0, 7) else f"{place}]"
        self.story.say(f"{self.process(core)}{level} {self.story.day()} {where} {text}")

    def process(self, core: bool) -> str:
        if self.version < (0, 10) or not core:
            return speaker(self.text_version)
        return f"({'EngineCore' if self.version >= (0, 16) else 'EngineCore_DP0'} pid=142) "

    def trace(self, words: str, after: float) -> None:
        head = (
            'Traceback (most recent call last):\n  File "<frozen runpy>", line 198, in _run_module_as_main\n  File '
            '"/usr/local/lib/python3.12/dist-packages/vllm/entrypoints/openai/api_server.py", line 1944, in <module>\n'
            "    uvloop.run(run_server(args))"
        )
        self.story.say("\n".join(self.process(False) + line for line in f"{head}\n{words}".split("\n")), after)

    def core_trace(self, words: str, after: float, where: str = "determine_available_memory") -> None:
        self.log("EngineCore failed to start.", "core.py:708", "ERROR", after=after, core=True)
        frames = f'Traceback (most recent call last):\n  File "vllm/v1/engine/core.py", line 699, in {where}\n{words}'
        for line in frames.split("\n"):
            self.log(line, "core.py:708", "ERROR", core=True)
        self.story.say(f"{self.process(False)}Traceback (most recent call last):", 1)
        if self.version >= (0, 8):
            self.story.say(
                f"{self.process(False)}RuntimeError: Engine core initialization failed. See root cause above. Failed "
                "core proc(s): {'EngineCore_DP0': 1}"
            )
        raise self.story.lose()

    def refuse(self, words: str) -> None:
        trace = (
            f"pydantic_core._pydantic_core.ValidationError: 1 validation error for VllmConfig\n  Value error, {words}"
        )
        self.trace(trace if self.version >= (0, 8) else f"ValueError: {words}", 4)
        raise self.story.lose()


def speaker(version: str) -> str:
    """What the API server's lines begin with: 0.10 and later name their processes."""
    return "(APIServer pid=1) " if numbers(version) >= (0, 10) else ""
