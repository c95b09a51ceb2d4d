"""What a loaded server answers to /invocations, in its own schema; and what it says to another's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from simulator.serving.start import Served

_DEFAULT_TOKENS = 100


@dataclass(frozen=True)
class Answer:
    """One response; `parts` is set for a stream of server-sent events instead of one body."""

    status: int
    body: Any = None
    parts: tuple[Any, ...] = ()


def answer(served: Served, body: bytes) -> Answer:
    """The server's response to a request body."""
    try:
        asked = json.loads(body)
    except ValueError as problem:
        return Answer(400, {"error": f"Failed to parse the request body as JSON: {problem}"})
    if not isinstance(asked, dict):
        return Answer(422, {"error": "Failed to deserialize the JSON body into the target type"})
    if "messages" in asked:
        return _chat(served, asked)
    if "inputs" in asked and served.generate:
        return _generate(served, asked)
    if "prompt" in asked and served.completions:
        return _complete(served, asked)
    missing = "inputs" if served.generate else "messages"
    return Answer(
        422, {"error": f"Failed to deserialize the JSON body into the target type: missing field `{missing}`"}
    )


def _chat(served: Served, asked: dict[str, Any]) -> Answer:
    if not served.chat:
        if served.generate:
            return Answer(422, {"error": "Failed to deserialize the JSON body: missing field `inputs`"})
        return _bad("As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat "
                    "template if the tokenizer does not define one.")  # fmt: skip
    if served.completions and served.model != "tgi" and asked.get("model") not in (None, served.model):
        return Answer(404, {"error": {"message": f"The model `{asked['model']}` does not exist.", "code": 404,
                                      "type": "NotFoundError"}})  # fmt: skip
    words, reason = _words(served, _last_text(asked["messages"]), asked.get("max_tokens"))
    if asked.get("stream"):
        return Answer(200, parts=tuple(_chat_parts(served, words, reason)))
    choice = {"index": 0, "message": {"role": "assistant", "content": " ".join(words)}, "finish_reason": reason}
    return Answer(200, {"id": "chatcmpl-1", "object": "chat.completion", "model": served.model, "choices": [choice],
                        "usage": _usage(asked["messages"], words)})  # fmt: skip


def _chat_parts(served: Served, words: list[str], reason: str) -> Iterator[Any]:
    for number, word in enumerate(words):
        text = word if number == 0 else f" {word}"
        last = reason if number == len(words) - 1 else None
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": last}
        yield {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": served.model, "choices": [choice]}


def _generate(served: Served, asked: dict[str, Any]) -> Answer:
    limit = (asked.get("parameters") or {}).get("max_new_tokens")
    words, _ = _words(served, str(asked["inputs"]), limit)
    return Answer(200, [{"generated_text": " ".join(words)}])


def _complete(served: Served, asked: dict[str, Any]) -> Answer:
    words, reason = _words(served, str(asked["prompt"]), asked.get("max_tokens"))
    choice = {"index": 0, "text": " ".join(words), "finish_reason": reason}
    return Answer(200, {"id": "cmpl-1", "object": "text_completion", "model": served.model, "choices": [choice]})


def _words(served: Served, question: str, limit: Any) -> tuple[list[str], str]:
    """A sentence about the question, cut at the limit; one that never ends where the server never stops."""
    most = limit if isinstance(limit, int) and limit > 0 else _DEFAULT_TOKENS
    said = f"Hello! You asked: {question[:80]} I have no weights, but I am serving.".split()
    if not served.stops:
        turn = [*said, "assistant", ""]
        return (turn * (most // len(turn) + 1))[:most], "length"
    return said[:most], "stop" if len(said) <= most else "length"


def _last_text(messages: Any) -> str:
    if not isinstance(messages, list) or not messages or not isinstance(messages[-1], dict):
        return ""
    content = messages[-1].get("content")
    return content if isinstance(content, str) else json.dumps(content)


def _usage(messages: Any, words: list[str]) -> dict[str, int]:
    prompt = len(json.dumps(messages)) // 4
    return {"prompt_tokens": prompt, "completion_tokens": len(words), "total_tokens": prompt + len(words)}


def _bad(message: str) -> Answer:
    return Answer(400, {"error": {"message": message, "type": "BadRequestError", "code": 400}})
