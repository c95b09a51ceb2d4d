"""One start of one container: which server plays it, or which log is replayed."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.serving import lmi, sglang, tgi, vllm
from simulator.serving.repository import Repository
from simulator.serving.situation import Situation, numbers
from simulator.serving.story import Lost, Story
from simulator.serving.vllm_voice import speaker

_SERVERS = {"tgi": tgi.start, "vllm": vllm.start, "lmi": lmi.start, "sglang": sglang.start}


@dataclass(frozen=True)
class Served:
    """What the server answers for: the name of the model and which requests it takes.

    `access_log` is what uvicorn's line about each request begins with; None for servers that write no such line.
    """

    model: str
    chat: bool
    generate: bool
    completions: bool
    stops: bool
    access_log: str | None = None


def play(situation: Situation) -> tuple[Story, Served | None]:
    """The whole story of a start, and what serves at its end; None where the container exits."""
    story = Story(situation.started_at)
    if situation.replay is not None:
        return _replayed(story, situation)
    if situation.command != ("serve",):
        story.say(f'exec: "{situation.command[0]}": executable file not found in $PATH')
        story.lose(127)
        return story, None
    try:
        repository = _SERVERS[situation.server](situation, story)
    except Lost:
        return story, None
    return story, _served(situation, repository)


def _replayed(story: Story, situation: Situation) -> tuple[Story, Served | None]:
    replay = situation.replay or {}
    lines = replay.get("log", "").split("\n")
    pace = float(replay.get("seconds", 20.0)) / max(1, len(lines))
    for line in lines:
        story.say(line, pace)
    if replay.get("exit_code") is None:
        return story, Served("replayed", True, True, True, True)
    story.lose(int(replay["exit_code"]))
    return story, None


def _served(situation: Situation, repository: Repository) -> Served:
    name, chat = repository.name, repository.chat_template
    if situation.server != "tgi":
        asked = situation.environment.get("SM_VLLM_SERVED_MODEL_NAME")
        lmi = situation.server == "lmi"
        return Served(asked or name, chat, lmi, not lmi, True, None if lmi else _access_log(situation))
    # MESSAGES_API_ENABLED chooses between the two up to 2.3.1; from 2.4.0 /invocations takes both.
    both = numbers(situation.version) >= (2, 4)
    messages = situation.environment.get("MESSAGES_API_ENABLED", "").lower() == "true"
    has_messages = numbers(situation.version) >= (1, 4) and messages
    stops = tgi.chat_stops(situation.version, repository)
    return Served("tgi", chat and (both or has_messages), both or not has_messages, both, stops)


def _access_log(situation: Situation) -> str:
    return speaker(situation.engine_version) if situation.server == "vllm" else ""
