"""A link to the timeline page that carries the deployment in its fragment, so that nothing reaches a server."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from inservice.contracts import Outcome


def link(base_url: str, outcome: Outcome, *, longest: int = 16_000) -> str:
    """`base_url#d=…` with the outcome as base64url of raw deflate; over `longest` characters it is `base_url#id=…`."""
    whole = f"{base_url}#d={fragment(outcome.as_json())}"
    return whole if len(whole) <= longest else f"{base_url}#id={outcome.deployment_id}"


def fragment(document: Any) -> str:
    """A JSON document as the page's fragment: raw deflate (RFC 1951), then base64url without padding (RFC 4648)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    packed = packer.compress(text.encode()) + packer.flush()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()
