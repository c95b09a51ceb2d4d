"""The model as its files tell it: config.json, weight files and tokenizer, on the hub or in /opt/ml/model."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_GIB = 2**30


class HubRefused(Exception):
    """The hub did not give the repository: `kind` is gated, missing, revision or network."""

    def __init__(self, kind: str, status: int, url: str) -> None:
        super().__init__(kind)
        self.kind, self.status, self.url = kind, status, url


@dataclass(frozen=True)
class Repository:
    """One model: dimensions from config.json, sizes from the files."""

    name: str
    config: dict[str, Any]
    files: dict[str, int]
    declared_bytes: int
    chat_template: bool
    local: bool = False

    @property
    def architecture(self) -> str:
        """The first entry of `architectures`, or an empty string."""
        return (self.config.get("architectures") or [""])[0]

    @property
    def weight_files(self) -> list[str]:
        """Safetensors files, or PyTorch's where there are none."""
        safe = sorted(name for name in self.files if name.endswith(".safetensors"))
        return safe or sorted(name for name in self.files if name.endswith(".bin"))

    @property
    def pickled(self) -> bool:
        """Whether the weights are only there in PyTorch's own format."""
        return bool(self.weight_files) and self.weight_files[0].endswith(".bin")

    @property
    def weights_gib(self) -> float:
        """GiB of weights as stored."""
        return max(self.declared_bytes, sum(self.files[name] for name in self.weight_files)) / _GIB

    @property
    def incomplete(self) -> bool:
        """Whether the files hold less than the index declares."""
        return sum(self.files[name] for name in self.weight_files) < self.declared_bytes * 0.999

    @property
    def has_tokenizer(self) -> bool:
        """Whether any of the usual tokenizer files is there."""
        return any(name in self.files for name in ("tokenizer.json", "tokenizer.model", "vocab.json", "tekken.json"))

    @property
    def quantization(self) -> str | None:
        """The method the checkpoint was quantised with."""
        return (self.config.get("quantization_config") or {}).get("quant_method")

    @property
    def needs_remote_code(self) -> bool:
        """Whether config.json refers to Python code in the repository."""
        return bool(self.config.get("auto_map"))

    def number(self, name: str, default: int = 0) -> int:
        """A dimension from config.json, or from its text_config."""
        found = self.config.get(name, (self.config.get("text_config") or {}).get(name))
        return int(found) if found is not None else default

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.number("head_dim") or self.number("hidden_size") // max(1, self.number("num_attention_heads", 1))

    def kv_bytes_per_token(self, tensor_parallel: int, bytes_each: float = 2.0) -> float:
        """Bytes of KV cache per token and GPU; heads are replicated once there are more GPUs than heads."""
        layers = self.number("num_hidden_layers")
        if self.number("kv_lora_rank"):
            # Multi-head latent attention keeps one compressed vector per layer, the same on every GPU.
            return layers * (self.number("kv_lora_rank") + self.number("qk_rope_head_dim")) * bytes_each
        heads = max(1.0, self.number("num_key_value_heads", self.number("num_attention_heads", 1)) / tensor_parallel)
        return 2 * layers * heads * self.head_dim * bytes_each


def from_hub(hub_url: str, name: str, revision: str, token: str | None) -> Repository:
    """Asks the hub, as a server's hub client does; HubRefused where it says no."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    info = json.loads(_get(f"{hub_url}/api/models/{name}/revision/{revision}?blobs=true", headers))
    files = {entry["rfilename"]: int(entry.get("size") or 0) for entry in info.get("siblings", [])}

    def read(path: str) -> str | None:
        return _get(f"{hub_url}/{name}/resolve/{revision}/{path}", headers).decode() if path in files else None

    return described(name, files, read)


def from_listing(local: dict[str, Any]) -> Repository:
    """The model that SageMaker put into /opt/ml/model."""
    return described("/opt/ml/model", local["files"], local["texts"].get, local=True)


def described(
    name: str, files: dict[str, int], read: Callable[[str], str | None], *, local: bool = False
) -> Repository:
    """A repository from its files' sizes and a way to read the small ones."""
    index = _json(read("model.safetensors.index.json"))
    total = int((index.get("metadata") or {}).get("total_size") or 0)
    template = "chat_template.jinja" in files or "chat_template" in _json(read("tokenizer_config.json"))
    return Repository(name, _json(read("config.json")), files, total, template, local)


def _json(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _get(url: str, headers: dict[str, str]) -> bytes:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.read()
    except urllib.error.HTTPError as problem:
        kind = problem.headers.get("X-Error-Code") or ""
        kinds = {"GatedRepo": "gated", "RepoNotFound": "missing", "RevisionNotFound": "revision"}
        raise HubRefused(kinds.get(kind, "network"), problem.code, url) from None
    except OSError:
        raise HubRefused("network", 0, url) from None
