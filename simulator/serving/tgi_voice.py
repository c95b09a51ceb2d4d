"""How Text Generation Inference speaks: tracing records in text or JSON, and how each of its parts gives up."""

from __future__ import annotations

import json

from simulator.serving.situation import Situation, numbers
from simulator.serving.story import Story

_COLOURS = {"INFO": "32", "WARN": "33", "ERROR": "31"}


class Voice:
    """One launcher's output; what it knows of itself is its situation."""

    def __init__(self, situation: Situation, story: Story) -> None:
        self.situation, self.story = situation, story
        self.env = situation.environment
        self.version = numbers(situation.version)
        self.name = self.env.get("HF_MODEL_ID", "")
        self.shards = number(self.env.get("SM_NUM_GPUS") or self.env.get("NUM_SHARD"), 1)
        self.quantize = self.env.get("HF_MODEL_QUANTIZE") or self.env.get("QUANTIZE")

    def log(
        self, text: str, level: str = "INFO", span: str = "", after: float = 0.0, who: str = "launcher",
        rank: int | None = None,
    ) -> None:  # fmt: skip
        """One record of the launcher (or router), as text with colours or as JSON; `rank` is a field of its own."""
        self.story.wait(after)
        target = f"text_generation_{who}"
        if self.env.get("JSON_OUTPUT", "").lower() in ("1", "true"):
            fields = {"message": text} if rank is None else {"message": text, "rank": rank}
            record = {"timestamp": self.story.iso(), "level": level, "fields": fields, "target": target}
            self.story.say(json.dumps(record))
            return
        spans = f"\x1b[1m{span}\x1b[0m: " if span else ""
        ranks = "" if rank is None else f" rank={rank}"
        self.story.say(
            f"\x1b[2m{self.story.iso()}\x1b[0m \x1b[{_COLOURS[level]}m{level:>5}\x1b[0m {spans}"
            f"\x1b[2m{target}\x1b[0m\x1b[2m:\x1b[0m {text}{ranks}"
        )

    def invalid(self, words: str) -> None:
        self.story.say(f'Error: ArgumentValidation("{words}")')
        raise self.story.lose()

    def download_failed(self, words: str) -> None:
        self.log(f"Download encountered an error: \nTraceback (most recent call last):\n{words}", "ERROR", "download")
        self.story.say("Error: DownloadError")
        raise self.story.lose()

    def shard_fails(self, words: str, after: float, where: str = "get_model") -> None:
        trace = (
            f'Traceback (most recent call last):\n  File "/opt/conda/bin/text-generation-server", line 8, in <module>\n'
            f'    sys.exit(app())\n  File "text_generation_server/models/__init__.py", line 871, in {where}\n{words}'
        )
        self.log("Error when initializing model\n" + trace, "ERROR", after=after)
        self.log(f"Shard complete standard error output:\n\n{trace}", "ERROR", "shard-manager", after=2)
        self.log("Shard 0 failed to start", "ERROR", after=0.5)
        self.log("Shutting down shards")
        self.story.say("Error: ShardCannotStart", 0.5)
        raise self.story.lose()

    def waiting(self, seconds: float) -> None:
        while seconds > 0:
            self.log("Waiting for shard to be ready... rank=0", span="shard-manager", after=min(10.0, seconds))
            seconds -= 10


def number(text: str | None, default: int) -> int:
    """An integer from the environment, or the default where there is none or it is not one."""
    try:
        return int(text) if text else default
    except ValueError:
        return default
