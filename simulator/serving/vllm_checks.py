"""What vLLM refuses before it loads anything: architecture, rope, quantisation, dtype, tokenizer, parallelism."""

from __future__ import annotations

from simulator.serving import support
from simulator.serving.repository import Repository
from simulator.serving.vllm_voice import Voice


class Checks(Voice):
    """The checks of a configuration, each ending the start in vLLM's words."""

    def check_config(self, repository: Repository) -> None:
        """Architecture, rope, quantisation, dtype and tokenizer; raises Lost."""
        if repository.needs_remote_code and not self.arguments.on("trust-remote-code"):
            self.trace(
                f"ValueError: Loading {self.name} requires you to execute the configuration file in that repo on your "
                "local machine. Make sure you have read the code there to avoid malicious use, then set the option "
                "`trust_remote_code=True` to remove this error.", 4,
            )  # fmt: skip
            raise self.story.lose()
        if not support.knows_architecture("vllm", self.text_version, repository):
            self.refuse(f"Model architectures ['{repository.architecture}'] are not supported for now. Supported "
                             "architectures: ['AquilaModel', 'ArcticForCausalLM', 'BaiChuanForCausalLM']")  # fmt: skip
        if not support.knows_rope("vllm", self.text_version, repository):
            self.trace("ValueError: `rope_scaling` must be a dictionary with two fields, `type` and `factor`, got "
                        f"{repository.config['rope_scaling']}", 4)  # fmt: skip
            raise self.story.lose()
        self._check_quantization(repository)
        self._check_dtype(repository)
        if not repository.has_tokenizer:
            self.trace(f"OSError: Can't load tokenizer for '{self.name}'. If you were trying to load it from "
                        "'https://huggingface.co/models', make sure you don't have a local directory with the same "
                        "name.", 7)  # fmt: skip
            raise self.story.lose()
        self.log(f"Resolved architecture: {repository.architecture}", "model.py:547", after=6)
        self.log(f"Using max model len {self.length(repository)}", "model.py:1510")

    def _check_quantization(self, repository: Repository) -> None:
        stored, asked = repository.quantization, self.quantization
        for method in filter(None, (asked, stored)):
            if not support.vllm_knows_quantization(self.text_version, method):
                known = support.vllm_quantizations(self.text_version)
                self.refuse(f"Unknown quantization method: {method}. Must be one of {known}.")
        if asked and stored and asked.removesuffix("_marlin") != stored:
            self.refuse(
                f"Quantization method specified in the model config ({stored}) does not match the quantization method "
                f"specified in the `quantization` argument ({asked})."
            )
        if asked in ("awq", "gptq", "awq_marlin", "gptq_marlin") and not stored:
            self.refuse(f"Cannot find the config file for {asked}")
        if asked == "fp8" and self.situation.machine.compute_capability < (7, 5):
            self.refuse("The quantization method fp8 is not supported for the current GPU. Minimum capability: 75.")

    def _check_dtype(self, repository: Repository) -> None:
        wanted = self.arguments.text("dtype") or "auto"
        stored = repository.config.get("torch_dtype") or repository.config.get("dtype")
        major, minor = self.situation.machine.compute_capability
        brain = wanted == "bfloat16" or (wanted == "auto" and stored == "bfloat16")
        if brain and (major, minor) < (8, 0) and self.situation.machine.gpu:
            self.refuse(
                "Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your "
                f"{self.situation.machine.gpu} GPU has compute capability {major}.{minor}. You can use float16 "
                f"instead by "
                "explicitly setting the `dtype` flag in CLI, for example: --dtype=half."
            )
        # CUDA 13 dropped Volta, so its wheels carry no kernels for compute capability 7.0.
        if self.situation.cuda >= (13, 0) and (major, minor) < (7, 5):
            self.trace(
                "torch.AcceleratorError: CUDA error: no kernel image is available for execution on the device", 9
            )
            raise self.story.lose()

    def check_parallel(self, repository: Repository) -> None:
        """Heads and GPUs for the tensor parallel degree; raises Lost."""
        heads, gpus = repository.number("num_attention_heads", 1), self.situation.machine.gpus
        if heads % self.tensor_parallel:
            self.refuse(
                f"Total number of attention heads ({heads}) must be divisible by tensor parallel size "
                f"({self.tensor_parallel})."
            )
        if gpus == 0:
            self.trace("RuntimeError: Failed to infer device type: no CUDA-capable device is detected", 3)
            raise self.story.lose()
        if self.tensor_parallel > gpus:
            self.refuse(
                f"World size ({self.tensor_parallel}) is larger than the number of available GPUs ({gpus}) in "
                f"this node. "
                "If this is intentional and you are using:\n- ray, set '--distributed-executor-backend ray'."
            )

    def length(self, repository: Repository) -> int:
        most = repository.number("max_position_embeddings", 4096)
        wanted = self.arguments.text("max-model-len")
        if wanted in (None, "auto", "-1"):
            return most
        if int(wanted) > most:
            self.refuse(
                f"User-specified max_model_len ({wanted}) is greater than the derived max_model_len "
                f"(max_position_embeddings={most}.0 or model_max_length=None in model's config.json). To allow "
                f"overriding "
                "this maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1."
            )
        return int(wanted)
