"""A message in the terminal reads as it does in Slack: labels for links, no markup, no escapes."""

from rich.console import Console

from embedded.slack_drawing import drawn

MESSAGE = {
    "text": "fallback",
    "blocks": [
        {"type": "header", "text": {"type": "plain_text", "text": "❌ chat was not deployed"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "It needs *more* `memory`\n```a &lt;b&gt; *c*```"}},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "<https://example.com/?a=1&amp;b=2|Timeline>"}]},
    ],
}


def shown(message: dict) -> str:
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(drawn(message))
    return console.export_text()


def test_markup_becomes_what_it_means() -> None:
    text = shown(MESSAGE)
    assert "❌ chat was not deployed" in text
    assert "It needs more memory" in text
    assert "a <b> *c*" in text
    assert "Timeline" in text
    assert "example.com" not in text
    assert "&" not in text


def test_a_message_without_blocks_shows_its_text() -> None:
    assert "fallback" in shown({"text": "fallback"})
