"""One real request in the server's own schema, and whether a real answer came back."""

from __future__ import annotations

from typing import Any

from inservice.commands import SmokeTest
from inservice.contracts import SmokeTested
from inservice.errors import Refused
from inservice.ports import Invocations

_MOST_TOKENS = 64


def smoke_test(command: SmokeTest, *, invocations: Invocations) -> SmokeTested:
    """Asks once as a chat; a base model without a chat template is asked to continue the prompt instead."""
    prompt = command.request.smoke_test.prompt
    problem = "it was not asked"
    for body in (_chat(prompt), _continuation(command.plan.server, prompt)):
        try:
            answer = text_of(invocations.invoke(command.endpoint.endpoint_name, body))
        except Refused as refusal:
            problem = str(refusal)
            continue
        if answer and answer.strip():
            return SmokeTested(passed=True, answer=answer.strip()[:2000])
        problem = "the endpoint answered, but without a word of text"
    return SmokeTested(passed=False, answer=None, problem=problem[:1000])


def text_of(answer: Any) -> str | None:
    """The text in an answer of any of the four servers; None where there is none."""
    if isinstance(answer, list) and answer:
        return text_of(answer[0])
    if not isinstance(answer, dict):
        return None
    if isinstance(answer.get("generated_text"), str):
        return str(answer["generated_text"])
    choices = answer.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        message = choices[0].get("message")
        said = message.get("content") if isinstance(message, dict) else choices[0].get("text")
        return said if isinstance(said, str) else None
    return None


def _chat(prompt: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": prompt}], "max_tokens": _MOST_TOKENS}


def _continuation(server: str, prompt: str) -> dict[str, Any]:
    if server in ("tgi", "lmi"):
        return {"inputs": prompt, "parameters": {"max_new_tokens": _MOST_TOKENS}}
    return {"prompt": prompt, "max_tokens": _MOST_TOKENS}
