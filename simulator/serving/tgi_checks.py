"""What TGI refuses: arguments the launcher does not take, and models its shards cannot be."""

from __future__ import annotations

from simulator.serving import support
from simulator.serving.repository import Repository
from simulator.serving.tgi_voice import Voice, number


class Checks(Voice):
    """The checks of one start, each ending it in TGI's words."""

    def show_arguments(self) -> None:
        """The banner with all arguments, then what is wrong with them."""
        e = self.env
        shown = {
            "model_id": f'"{self.name}"', "revision": _some(e.get("HF_MODEL_REVISION")),
            "num_shard": _some(self.shards), "quantize": _some(self.quantize), "max_concurrent_requests":
            e.get("MAX_CONCURRENT_REQUESTS", "128"), "max_input_tokens": _some(e.get("MAX_INPUT_TOKENS")),
            "max_input_length": _some(e.get("MAX_INPUT_LENGTH")), "max_total_tokens": _some(e.get("MAX_TOTAL_TOKENS")),
            "max_batch_prefill_tokens": _some(e.get("MAX_BATCH_PREFILL_TOKENS")), "port": "8080",
        }  # fmt: skip
        pretty = self.version >= (2, 0)
        inside = "\n".join(f"    {key}: {value}," for key, value in shown.items())
        flat = ", ".join(f"{key}: {value}" for key, value in shown.items())
        self.log(f"Args {{\n{inside}\n}}" if pretty else f"Args {{ {flat} }}", after=2)
        self._refuse_arguments()
        if self.version >= (2, 0) and e.get("CUDA_GRAPHS") != "0":
            self.log("Using default cuda graphs [1, 2, 4, 8, 16, 32]", after=0.2)

    def _refuse_arguments(self) -> None:
        e = self.env
        total, longest = number(e.get("MAX_TOTAL_TOKENS"), 0), number(
            e.get("MAX_INPUT_TOKENS") or e.get("MAX_INPUT_LENGTH"), 0)  # fmt: skip
        prefill = number(e.get("MAX_BATCH_PREFILL_TOKENS"), 0)
        if "MAX_INPUT_TOKENS" in e and "MAX_INPUT_LENGTH" in e:
            self.invalid("Both `max_input_tokens` and `max_input_length` are set. Please define only one.")
        if total and longest >= total:
            self.invalid("`max_input_tokens` must be < `max_total_tokens`")
        if prefill and longest > prefill:
            self.invalid(f"`max_batch_prefill_tokens` must be >= `max_input_tokens`. Given: {prefill} and {longest}")
        if self.quantize and self.quantize not in support.TGI_QUANTIZATIONS:
            kinds = ", ".join(support.TGI_QUANTIZATIONS)
            self.story.say(
                f"error: invalid value '{self.quantize}' for '--quantize <QUANTIZE>'\n  [possible values: {kinds}]"
            )
            raise self.story.lose(2)
        if self.shards > max(1, self.situation.machine.gpus):
            self.story.say(
                f'Error: NotEnoughCUDADevices("`sharded` is true but only found {self.situation.machine.gpus} CUDA '
                'devices")'
            )
            raise self.story.lose()

    def check_shards(self, repository: Repository) -> None:
        for rank in range(self.shards):
            self.log("Starting shard", span="shard-manager", after=0.1, rank=rank)
        heads = repository.number("num_attention_heads", 1)
        if heads % self.shards:
            self.shard_fails(
                f"ValueError: `num_heads` must be divisible by `num_shards` (got `num_heads`: {heads} and "
                f"`num_shards`: "
                f"{self.shards}", 9,
            )  # fmt: skip
        if self.situation.machine.gpus == 0 or self.situation.machine.compute_capability < (7, 5):
            self.shard_fails("RuntimeError: GPU with CUDA capability 7 0 is not supported", 6)
        if not support.knows_architecture("tgi", self.situation.version, repository):
            kind = repository.config.get("model_type") or repository.architecture
            self.shard_fails(f"ValueError: Unsupported model type {kind}", 9)
        if not support.knows_rope("tgi", self.situation.version, repository):
            self.shard_fails(
                "ValueError: `rope_scaling` must be a dictionary with two fields, `type` and `factor`, got "
                f"{repository.config['rope_scaling']}", 9,
            )  # fmt: skip
        self._check_files(repository)

    def _check_files(self, repository: Repository) -> None:
        if repository.needs_remote_code and self.env.get("HF_MODEL_TRUST_REMOTE_CODE", "").lower() != "true":
            self.shard_fails(
                f"ValueError: Loading {self.name} requires you to execute the configuration file in that repo on your "
                "local machine. Make sure you have read the code there to avoid malicious use, then set the option "
                "`trust_remote_code=True` to remove this error.", 8,
            )  # fmt: skip
        if not repository.has_tokenizer:
            self.shard_fails(
                f"OSError: Can't load tokenizer for '{self.name}'. If you were trying to load it from "
                "'https://huggingface.co/models', make sure you don't have a local directory with the same name.", 10,
            )  # fmt: skip
        if repository.incomplete:
            self.shard_fails(
                "safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer", 14
            )
        stored = repository.quantization
        if self.quantize in ("awq", "gptq") and stored is None:
            self.shard_fails("RuntimeError: weight model.layers.0.self_attn.q_proj.qweight does not exist", 16)
        if stored and stored not in support.TGI_QUANTIZATIONS:
            self.shard_fails(f"ValueError: Unknown quantization method {stored}", 10)


def _some(value: object) -> str:
    return "None" if value is None else f"Some({value})"
