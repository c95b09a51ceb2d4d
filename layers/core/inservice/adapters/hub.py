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
# A header names each tensor; the largest models have some hundred files with headers under a megabyte each.
_MOST_HEADERS, _LONGEST_HEADER = 200, 20_000_000


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
        size = _listed(info) or self._from_headers(hub_id, at, info, token)
        return HubModel(access=access, config=config if isinstance(config, dict) else None, weight_bytes=size)

    def _from_headers(self, hub_id: str, at: str, info: dict[str, Any], token: str | None) -> int | None:
        """The weights' bytes from each safetensors file's own header, read by range; None when one cannot be read."""
        total = 0
        for name in _weight_files(info)[:_MOST_HEADERS]:
            path = f"/{hub_id}/resolve/{at}/{quote(name)}"
            head = self._bytes(path, token, 0, 7)
            length = int.from_bytes(head or b"", "little")
            if head is None or not 0 < length <= _LONGEST_HEADER:
                return None
            try:
                header = json.loads(self._bytes(path, token, 8, 7 + length) or b"")
                ends = [entry["data_offsets"][1] for key, entry in header.items() if key != "__metadata__"]
            except (ValueError, KeyError, IndexError, TypeError, AttributeError):
                return None
            total += max(ends, default=0)
        return total or None

    def _bytes(self, path: str, token: str | None, first: int, last: int) -> bytes | None:
        request = self._request(path, token)
        request.add_header("Range", f"bytes={first}-{last}")
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                return bytes(answer.read(last - first + 1))
        except OSError:
            return None

    def _get(self, path: str, token: str | None) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(self._request(path, token), timeout=_SECONDS) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as problem:
            return problem.code, None
        except (OSError, ValueError) as problem:
            raise Unavailable(f"the hub does not answer: {problem}") from None

    def _request(self, path: str, token: str | None) -> urllib.request.Request:
        request = urllib.request.Request(self._base_url + path, headers={"User-Agent": "inservice"})
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        return request


def _weight_files(info: dict[str, Any]) -> list[str]:
    names = [str(entry.get("rfilename", "")) for entry in info.get("siblings") or []]
    return [name for name in names if name.endswith(".safetensors")]


def _listed(info: dict[str, Any]) -> int | None:
    """The bytes of all safetensors files as the hub lists them; None where it lists no sizes."""
    files = {str(entry.get("rfilename", "")): entry.get("size") for entry in info.get("siblings") or []}
    sizes = [files[name] for name in _weight_files(info)]
    return sum(sizes) if sizes and all(isinstance(size, int) for size in sizes) else None
