"""Which server version knows which architecture, GPU and quantisation.

First versions: read from the tags of huggingface/text-generation-inference (models/__init__.py) and from vLLM's
source distributions (model registry); where only every few releases were opened the first that has it counts.
"""

from __future__ import annotations

from simulator.serving.repository import Repository
from simulator.serving.situation import numbers

_NEVER = (99,)
_TGI_FIRST = {
    "LlamaForCausalLM": (0, 6), "FalconForCausalLM": (0, 6), "MistralForCausalLM": (1, 1, 0),
    "MixtralForCausalLM": (1, 3, 0), "PhiForCausalLM": (1, 3, 0), "GemmaForCausalLM": (1, 4, 2),
    "Qwen2ForCausalLM": (1, 4, 3), "Phi3ForCausalLM": (2, 0, 2), "Gemma2ForCausalLM": (2, 1, 0),
    "DeepseekV2ForCausalLM": (2, 2, 0), "MllamaForConditionalGeneration": (2, 3, 1), "DeepseekV3ForCausalLM": (3, 1, 0),
    "Gemma3ForCausalLM": (3, 2, 0), "Gemma3ForConditionalGeneration": (3, 2, 0),
    "Llama4ForConditionalGeneration": (3, 2, 2), "Qwen3ForCausalLM": (3, 3, 4), "Qwen3MoeForCausalLM": (3, 3, 4),
    "GptOssForCausalLM": _NEVER,
}  # fmt: skip
_VLLM_FIRST = {
    "LlamaForCausalLM": (0, 3), "MistralForCausalLM": (0, 3), "MixtralForCausalLM": (0, 3), "FalconForCausalLM": (0, 3),
    "PhiForCausalLM": (0, 3), "Qwen2ForCausalLM": (0, 3, 0), "GemmaForCausalLM": (0, 3, 3),
    "Phi3ForCausalLM": (0, 4, 3), "Gemma2ForCausalLM": (0, 5, 1), "DeepseekV2ForCausalLM": (0, 5, 1),
    "MllamaForConditionalGeneration": (0, 6, 2), "DeepseekV3ForCausalLM": (0, 6, 6), "Gemma3ForCausalLM": (0, 8, 0),
    "Gemma3ForConditionalGeneration": (0, 8, 0), "Llama4ForConditionalGeneration": (0, 8, 3),
    "Qwen3ForCausalLM": (0, 8, 4), "Qwen3MoeForCausalLM": (0, 8, 4), "GptOssForCausalLM": (0, 10, 1),
}  # fmt: skip
# vLLM's registry lists it as "previously supported until 0.10.2".
_VLLM_LAST = {"MllamaForConditionalGeneration": (0, 10, 2)}
# Llama 3.1's rope_scaling of type llama3: TGI commit 4ab41737 (2.2.0), vLLM 0.5.4.
_ROPE_LLAMA3 = {"tgi": (2, 2, 0), "vllm": (0, 5, 4)}
# bitsandbytes: classes present in vLLM 0.27.1, absent in 0.28.0; GGUF left the method list by 0.24.
_VLLM_QUANTIZATIONS = {
    "awq": _NEVER, "awq_marlin": _NEVER, "gptq": _NEVER, "gptq_marlin": _NEVER, "fp8": _NEVER,
    "compressed-tensors": _NEVER, "mxfp4": _NEVER, "modelopt": _NEVER, "bitsandbytes": (0, 28, 0), "gguf": (0, 24, 0),
    "fp8_per_tensor": _NEVER, "fp8_per_block": _NEVER, "int8_per_channel_weight_only": _NEVER, "mxfp8": _NEVER,
}  # fmt: skip
TGI_QUANTIZATIONS = (
    "awq", "eetq", "exl2", "gptq", "marlin", "bitsandbytes", "bitsandbytes-nf4", "bitsandbytes-fp4", "fp8",
    "compressed-tensors",
)  # fmt: skip


def knows_architecture(server: str, version: str, repository: Repository) -> bool:
    """Whether that version's registry has the model's architecture; SGLang is taken to know what vLLM 0.8 knows."""
    now = numbers(version)
    if server == "sglang":
        return _VLLM_FIRST.get(repository.architecture, _NEVER) != _NEVER
    first = (_TGI_FIRST if server == "tgi" else _VLLM_FIRST).get(repository.architecture, _NEVER)
    last = _VLLM_LAST.get(repository.architecture, _NEVER) if server != "tgi" else _NEVER
    return first <= now <= last


def knows_rope(server: str, version: str, repository: Repository) -> bool:
    """Whether that version reads the model's rope_scaling."""
    scaling = repository.config.get("rope_scaling") or {}
    kind = scaling.get("rope_type") or scaling.get("type")
    return kind != "llama3" or server == "sglang" or numbers(version) >= _ROPE_LLAMA3[server]


def vllm_knows_quantization(version: str, method: str) -> bool:
    """Whether that vLLM version lists the method."""
    return numbers(version) < _VLLM_QUANTIZATIONS.get(method, (0,))


def vllm_quantizations(version: str) -> list[str]:
    """The methods that version lists."""
    return [name for name in _VLLM_QUANTIZATIONS if vllm_knows_quantization(version, name)]
