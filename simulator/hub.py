"""The model hub's metadata: model info, gated access by token, config.json and safetensors headers by range."""

from __future__ import annotations

import json
import re
import struct
import threading
from dataclasses import dataclass
from typing import Any

from simulator.beliefs.tables import table

_GATED = ("meta-llama/", "google/gemma", "mistralai/mistral-large")
_SHARD_BYTES = 4_950_000_000
_MODEL_TYPES = {"GptOssForCausalLM": "gpt_oss", "MllamaForConditionalGeneration": "mllama"}


@dataclass(frozen=True)
class Response:
    """An HTTP answer of the hub; `error_code` is its X-Error-Code header."""

    status: int
    body: bytes
    error_code: str = ""
    content_type: str = "application/json"
    content_range: str = ""


class Hub:
    """Known repositories, and those added at the control door."""

    def __init__(self, token: str) -> None:
        self._token = token
        self._lock = threading.Lock()
        self._added: dict[str, dict[str, Any]] = {}

    def add(self, repositories: dict[str, Any]) -> None:
        """Adds or replaces repositories: config, files (name to size), texts, gated, revisions; None removes."""
        with self._lock:
            for name, repository in repositories.items():
                self._added[name.lower()] = {**repository, "name": name} if repository is not None else {}

    def get(self, path: str, authorization: str, byte_range: str = "") -> Response:
        """One GET request."""
        info = re.fullmatch(r"/api/models/([\w.-]+/[\w.-]+)(?:/revision/([^/]+))?", path)
        file = re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)", path)
        match = info or file
        if not match:
            return _error(404, "", "Not Found")
        token = authorization.removeprefix("Bearer ").strip()
        repository = self._find(match[1])
        if repository is None:
            return _error(404 if token else 401, "RepoNotFound", "Repository not found")
        if (match[2] or "main") not in ("main", *repository.get("revisions", ())):
            return _error(404, "RevisionNotFound", f"Invalid rev id: {match[2]}")
        if file:
            return self._file(repository, file[3], token, byte_range)
        return Response(200, json.dumps(_info(repository)).encode())

    def weights_gib(self, name: str) -> float:
        """GiB of weights in a repository; nothing for an unknown one."""
        found = self._find(name) or {"files": {}}
        return sum(size for file, size in found["files"].items() if file.endswith((".safetensors", ".bin"))) / 2**30

    def _file(self, repository: dict[str, Any], path: str, token: str, byte_range: str) -> Response:
        if repository["gated"] and token != self._token:
            words = "Access to model {} is restricted." + ("" if token else " You must be authenticated to access it.")
            return _error(403 if token else 401, "GatedRepo", words.format(repository["name"]))
        if path not in repository["files"]:
            return _error(404, "EntryNotFound", "Entry not found")
        if path in repository["texts"]:
            return _ranged(repository["texts"][path].encode(), byte_range)
        return _ranged(_header(path, repository["files"][path]), byte_range, repository["files"][path])

    def _find(self, name: str) -> dict[str, Any] | None:
        with self._lock:
            added = self._added.get(name.lower())
        if added is not None:
            return _complete(added) if added else None
        for known, row in table("models")["models"].items():
            if known.lower() == name.lower():
                return _known(known, row)
        return None


def _known(name: str, row: dict[str, Any]) -> dict[str, Any]:
    size = int((row.get("weights_gib_bf16") or row.get("disk_gib") or 1) * 2**30)
    if row["architecture"] == "GptOssForCausalLM" and row.get("observed_vllm_weights_gib"):
        size = int(row["observed_vllm_weights_gib"] * 2**30)
    return _complete({"name": name, "config": _config(name, row), "weight_bytes": size,
                      "gated": name.lower().startswith(_GATED)})  # fmt: skip


def _complete(given: dict[str, Any]) -> dict[str, Any]:
    """A repository with everything it was not given: shards, index, tokenizer with a chat template."""
    size = int(given.get("weight_bytes", 2**30))
    count = max(1, -(-size // _SHARD_BYTES))
    shards = {f"model-{n:05d}-of-{count:05d}.safetensors": size // count for n in range(1, count + 1)}
    texts = {
        "config.json": json.dumps(given.get("config", {})),
        "model.safetensors.index.json": json.dumps({"metadata": {"total_size": size // count * count}}),
        "tokenizer_config.json": json.dumps({"chat_template": "{% for message in messages %}{{ message }}{% "
                                                              "endfor %}"}),
        "tokenizer.json": "{}", **given.get("texts", {}),
    }  # fmt: skip
    texts = {name: text for name, text in texts.items() if name not in given.get("without", ())}
    files = given.get("files") or shards
    files = {**files, **{name: len(text.encode()) for name, text in texts.items()}}
    return {"name": given["name"], "gated": bool(given.get("gated")), "files": files, "texts": texts,
            "revisions": given.get("revisions", ())}  # fmt: skip


def _config(name: str, row: dict[str, Any]) -> dict[str, Any]:
    architecture = row["architecture"]
    kept = ("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads",
            "head_dim", "vocab_size", "max_position_embeddings", "torch_dtype", "tie_word_embeddings")  # fmt: skip
    config = {"architectures": [architecture], **{key: row[key] for key in kept if row.get(key) is not None}}
    config["model_type"] = _MODEL_TYPES.get(architecture, re.sub(r"For\w+$", "", architecture).lower())
    if re.search(r"llama-3\.[123]|r1-distill-llama", name.lower()):
        config["rope_scaling"] = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                  "original_max_position_embeddings": 8192, "rope_type": "llama3"}  # fmt: skip
    if architecture == "DeepseekV3ForCausalLM":
        config |= {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "quantization_config": {"quant_method": "fp8"}}
    for method in ("awq", "gptq", "fp8"):
        if method in name.lower():
            config["quantization_config"] = {"quant_method": method}
    if architecture == "GptOssForCausalLM":
        config["quantization_config"] = {"quant_method": "mxfp4"}
    return config


def _info(repository: dict[str, Any]) -> dict[str, Any]:
    weights = sum(size for name, size in repository["files"].items() if name.endswith(".safetensors"))
    return {
        "id": repository["name"], "modelId": repository["name"], "sha": "5f0b02c7" * 5, "private": False,
        "gated": "manual" if repository["gated"] else False,
        "siblings": [{"rfilename": name, "size": size} for name, size in sorted(repository["files"].items())],
        "safetensors": {"parameters": {"BF16": weights // 2}, "total": weights // 2}, "usedStorage": weights,
    }  # fmt: skip


def _header(path: str, size: int) -> bytes:
    """A safetensors header that describes a file of that size: eight bytes of length, then JSON."""
    if not path.endswith(".safetensors"):
        return b""
    elements = max(0, size - 1024) // 2
    tensors = {"model.weights": {"dtype": "BF16", "shape": [elements], "data_offsets": [0, 2 * elements]}}
    text = json.dumps({"__metadata__": {"format": "pt"}, **tensors}).encode()
    return struct.pack("<Q", len(text)) + text


def _ranged(data: bytes, byte_range: str, size: int | None = None) -> Response:
    total = size if size is not None else len(data)
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", byte_range)
    if not match:
        return Response(200, data)
    first = int(match[1])
    last = min(int(match[2]) if match[2] else total - 1, total - 1)
    if first > last:
        return _error(416, "", "Range Not Satisfiable")
    # Beyond the header there are no weights, only zeros, and not more than a request can carry.
    wanted = min(last - first + 1, 8 * 2**20)
    part = data[first : first + wanted].ljust(wanted, b"\0")
    return Response(206, part, "", "application/octet-stream", f"bytes {first}-{first + wanted - 1}/{total}")


def _error(status: int, code: str, words: str) -> Response:
    return Response(status, json.dumps({"error": words}).encode(), code)
