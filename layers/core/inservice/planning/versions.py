"""Which version of which server serves an architecture properly, and what later versions took away.

From the model registries of the released servers: TGI `models/__init__.py` with its transformers pin, vLLM
`model_executor/models/registry.py`, DJL release notes for LMI.
"""

from __future__ import annotations

from dataclasses import dataclass

from inservice.planning.tables import Image, Model, images, parsed


@dataclass(frozen=True)
class Support:
    """First version of each server that serves an architecture properly; "" means none does."""

    tgi: str = "0"
    vllm: str = "0"
    lmi: str = "0"
    vllm_last: str | None = None
    why: str = ""


_LLAMA3 = Support(
    "2.0.2", "0.4.1", "0.28.0", why="older ones do not know Llama 3's second end-of-turn token and never stop"
)
_LLAMA31 = Support("2.2.0", "0.5.4", "0.30.0", why="older ones do not read its rope scaling")
_BY_ARCHITECTURE = {
    "MistralForCausalLM": Support(tgi="1.1.0"),
    "MixtralForCausalLM": Support(tgi="1.3.1"),
    "Qwen2ForCausalLM": Support(tgi="1.4.5"),
    "Phi3ForCausalLM": Support("2.0.2", "0.4.3"),
    "GemmaForCausalLM": Support("1.4.2", "0.3.3"),
    "Gemma2ForCausalLM": Support("2.2.0", "0.5.1", "0.29.0"),
    "Gemma3ForCausalLM": Support("3.2.0", "0.8.0", "0.33.0"),
    "Gemma3ForConditionalGeneration": Support("3.2.0", "0.8.0", "0.33.0"),
    "MllamaForConditionalGeneration": Support("2.3.1", "0.6.2", "0.32.0", "0.10.2", "vLLM dropped it after 0.10.2"),
    "Llama4ForConditionalGeneration": Support("3.2.3", "0.8.3", "0.33.0"),
    "Qwen3ForCausalLM": Support("3.3.4", "0.8.5", "0.34.0"),
    "Qwen3MoeForCausalLM": Support("3.3.4", "0.8.5", "0.34.0"),
    "DeepseekV3ForCausalLM": Support("3.1.1", "0.6.6", "0.33.0"),
    "GptOssForCausalLM": Support("", "0.10.2", "0.34.0", why="TGI's transformers is older than gpt-oss"),
}


def support(model: Model) -> Support:
    """What an architecture needs; the zero versions where no limit is known."""
    name = model.name.lower()
    if model.architecture == "LlamaForCausalLM":
        if any(mark in name for mark in ("llama-3.1", "llama-3.2", "llama-3.3", "distill-llama")):
            return _LLAMA31
        return _LLAMA3 if "llama-3" in name else Support()
    return _BY_ARCHITECTURE.get(model.architecture, Support())


def serving(server: str, model: Model | None) -> tuple[Image, ...]:
    """The published images of a server that serve the model properly, oldest first."""
    known = images(server)
    if model is None or server == "sglang":
        return known
    needs = support(model)
    first = {"tgi": needs.tgi, "vllm": needs.vllm, "lmi": needs.lmi}[server]
    if not first:
        return ()
    fitting = [image for image in known if parsed(image.version) >= parsed(first)]
    if server == "vllm" and needs.vllm_last:
        fitting = [image for image in fitting if parsed(image.version) <= parsed(needs.vllm_last)]
    if server == "lmi" and needs.vllm_last:
        # LMI 0.34 carries vLLM 0.10.2, the last one with mllama (DJL release notes).
        fitting = [image for image in fitting if parsed(image.version) <= (0, 34, 0)]
    return tuple(fitting)


def bitsandbytes_works(server: str, version: str) -> bool:
    """vLLM removed bitsandbytes in 0.28.0 (its `quantization` package); LMI carries that vLLM from 0.38."""
    if server == "vllm":
        return parsed(version) < (0, 28)
    if server == "lmi":
        return parsed(version) < (0, 38)
    return server == "tgi"
