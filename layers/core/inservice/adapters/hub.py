"""The Hugging Face hub's metadata: is the model there, may it be read, how large is it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

from inservice.errors import Unavailable
from inservice.ports import HubModel

_SECONDS = 4.0


class HubClient:
    """The hub at `base_url`, asked with short time-outs."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")

    def describe(self, hub_id: str, revision: str | None, token: str | None) -> HubModel:
        """Access, config.json and weight bytes of a repository; Unavailable when the hub does not answer."""
        at = quote(revision or "main", safe="")
        status, info = self._get(f"/api/models/{hub_id}/revision/{at}?blobs=true", token)
        if status == 404:
            return HubModel(access="missing")
        if status in (401, 403):
            # The hub answers 401 for what does not exist or is private, 403 for a gated one (its API documentation).
            return HubModel(access="gated")
        if status != 200 or not isinstance(info, dict):
            raise Unavailable(f"the hub answered {status} for {hub_id}")
        status, config = self._get(f"/{hub_id}/resolve/{at}/config.json", token)
        access = "gated" if status in (401, 403) else "ok"
        return HubModel(access=access, config=config if isinstance(config, dict) else None, weight_bytes=_weights(info))

    def _get(self, path: str, token: str | None) -> tuple[int, Any]:
        request = urllib.request.Request(self._base_url + path, headers={"User-Agent": "inservice"})
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as problem:
            return problem.code, None
        except (OSError, ValueError) as problem:
            raise Unavailable(f"the hub does not answer: {problem}") from None


def _weights(info: dict[str, Any]) -> int | None:
    """The bytes of all safetensors files; None where the hub lists no sizes."""
    files = [entry for entry in info.get("siblings") or [] if str(entry.get("rfilename", "")).endswith(".safetensors")]
    sizes = [entry.get("size") for entry in files]
    return sum(sizes) if sizes and all(isinstance(size, int) for size in sizes) else None
