"""Model data in S3: the engine's buckets, and objects declared at the control door."""

from __future__ import annotations

import threading
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.aws.clients import Engine

_SMALL = ("config.json", "model.safetensors.index.json", "tokenizer_config.json")


class Objects:
    """Objects by S3 URI."""

    def __init__(self, engine: Engine | None) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._declared: dict[str, tuple[int, str | None]] = {}

    def declare(self, wanted: dict[str, Any]) -> None:
        """Adds objects: a URI to a size in bytes, a text, or None to remove it."""
        with self._lock:
            for uri, value in wanted.items():
                if value is None:
                    self._declared.pop(uri, None)
                elif isinstance(value, str):
                    self._declared[uri] = (len(value.encode()), value)
                else:
                    self._declared[uri] = (int(value), None)

    def listing(self, uri: str) -> dict[str, Any] | None:
        """Sizes of the files under a prefix (or of one object), and the texts of the small ones; None for nothing."""
        with self._lock:
            declared = {key: value for key, value in self._declared.items() if key.startswith(uri)}
        if declared:
            files = {_name(key, uri): size for key, (size, _) in declared.items()}
            return {"files": files, "texts": {_name(k, uri): text for k, (_, text) in declared.items() if text}}
        return self._from_engine(uri) if self._engine else None

    def _from_engine(self, uri: str) -> dict[str, Any] | None:
        assert self._engine is not None
        bucket, _, prefix = uri.removeprefix("s3://").partition("/")
        client = self._engine.client("s3")
        try:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            found = {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", [])}
            texts = {
                _name(key, prefix): client.get_object(Bucket=bucket, Key=key)["Body"].read().decode(errors="replace")
                for key in found if key.rsplit("/", 1)[-1] in _SMALL
            }  # fmt: skip
        except (ClientError, BotoCoreError):
            return None
        return {"files": {_name(key, prefix): size for key, size in found.items()}, "texts": texts} if found else None


def _name(key: str, prefix: str) -> str:
    return key.removeprefix(prefix).lstrip("/") or key.rsplit("/", 1)[-1]
