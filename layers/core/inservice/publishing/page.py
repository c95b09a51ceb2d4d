"""A link to the timeline page that carries the deployment in its fragment, so that nothing reaches a server."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any
from urllib.parse import quote

from inservice.contracts import Outcome

# A Slack text object holds 3000 characters, the link's label and its escaping included (docs.slack.dev, Block Kit).
FITS_SLACK = 2800


def link(base_url: str, outcome: Outcome, *, longest: int = FITS_SLACK) -> str:
    """`base_url#d=…` with the outcome as data; where that is over `longest` characters, with less, or only `#id=…`."""
    for document in (outcome.as_json(), _drawn(outcome)):
        whole = f"{base_url}#d={fragment(document)}"
        if len(whole) <= longest:
            return whole
    return f"{base_url}#id={quote(outcome.deployment_id, safe='')}"


def fragment(document: Any) -> str:
    """A JSON document as the page's fragment: raw deflate (RFC 1951), then base64url without padding (RFC 4648)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    packed = packer.compress(text.encode()) + packer.flush()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def _drawn(outcome: Outcome) -> dict[str, Any]:
    """The outcome without what the page does not draw: image, environment and the links to other places."""
    document = outcome.as_json()
    for holder in (document, *document["attempts"]):
        holder["plan"] = {name: value for name, value in (holder["plan"] or {}).items() if name in _DRAWN} or None
    document["links"] = {}
    return document


_DRAWN = {
    "server", "server_version", "instance_type", "health_check_timeout_seconds", "memory", "predicted_load_seconds",
    "cost_per_hour_usd",
}  # fmt: skip
