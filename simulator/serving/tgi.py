"""Text Generation Inference, 1.4 to 3.3: launcher, download, shards, router, as it logs in CloudWatch."""

from __future__ import annotations

import json

from simulator.serving import fetching, memory, support
from simulator.serving.repository import HubRefused, Repository
from simulator.serving.situation import Situation, numbers
from simulator.serving.story import Lost, Story

_COLOURS = {"INFO": "32", "WARN": "33", "ERROR": "31"}
_NOT_FLASH = (8, 0)


class Launcher:
    """One start of TGI: speaks in its format and remembers what it was told."""

    def __init__(self, situation: Situation, story: Story) -> None:
        self.situation, self.story = situation, story
        self.env = situation.environment
        self.version = numbers(situation.version)
        self.name = self.env.get("HF_MODEL_ID", "")
        self.shards = _number(self.env.get("SM_NUM_GPUS") or self.env.get("NUM_SHARD"), 1)
        self.quantize = self.env.get("HF_MODEL_QUANTIZE") or self.env.get("QUANTIZE")

    def log(self, text: str, level: str = "INFO", span: str = "", after: float = 0.0, who: str = "launcher") -> None:
        """One record of the launcher (or router), as text with colours or as JSON."""
        self.story.wait(after)
        target = f"text_generation_{who}"
        if self.env.get("JSON_OUTPUT", "").lower() in ("1", "true"):
            record = {"timestamp": self.story.iso(), "level": level, "fields": {"message": text}, "target": target}
            self.story.say(json.dumps(record))
            return
        spans = f"\x1b[1m{span}\x1b[0m: " if span else ""
        self.story.say(
            f"\x1b[2m{self.story.iso()}\x1b[0m \x1b[{_COLOURS[level]}m{level:>5}\x1b[0m {spans}"
            f"\x1b[2m{target}\x1b[0m\x1b[2m:\x1b[0m {text}"
        )

    def start(self) -> Repository:
        """Plays the start up to serving; raises Lost where this TGI would end."""
        if not self.name:
            self.story.say("Error: HF_MODEL_ID must be set", 1)
            raise self.story.lose()
        self._arguments()
        repository = self._download()
        self._check_shards(repository)
        self._load(repository)
        self._warm_up(repository)
        return repository

    def _arguments(self) -> None:
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
        total, longest = _number(e.get("MAX_TOTAL_TOKENS"), 0), _number(
            e.get("MAX_INPUT_TOKENS") or e.get("MAX_INPUT_LENGTH"), 0)  # fmt: skip
        prefill = _number(e.get("MAX_BATCH_PREFILL_TOKENS"), 0)
        if "MAX_INPUT_TOKENS" in e and "MAX_INPUT_LENGTH" in e:
            self._invalid("Both `max_input_tokens` and `max_input_length` are set. Please define only one.")
        if total and longest >= total:
            self._invalid("`max_input_tokens` must be < `max_total_tokens`")
        if prefill and longest > prefill:
            self._invalid(f"`max_batch_prefill_tokens` must be >= `max_input_tokens`. Given: {prefill} and {longest}")
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

    def _invalid(self, words: str) -> None:
        self.story.say(f'Error: ArgumentValidation("{words}")')
        raise self.story.lose()

    def _download(self) -> Repository:
        if self.shards > 1:
            self.log(f"Sharding model on {self.shards} processes")
        # Up to 2.0 the image's hub client reads only the old name of the variable; from 2.2 HF_TOKEN.
        old = self.env.get("HUGGING_FACE_HUB_TOKEN")
        token = (self.env.get("HF_TOKEN") or old) if self.version >= (2, 2) else old
        revision = self.env.get("HF_MODEL_REVISION", "main")
        self.log(f"Starting check and download process for {self.name}", span="download", after=1)
        try:
            repository = fetching.find(self.situation, self.name, revision, token)
        except HubRefused as refused:
            self.log("Download encountered an error:", "ERROR", "download", after=4)
            self.story.say("Traceback (most recent call last):\n" + fetching.refusal_text(refused, self.name, revision))
            self.story.say("Error: DownloadError")
            raise self.story.lose() from None
        if not repository.weight_files:
            self._download_failed(f"FileNotFoundError: No local weights found in {self.name} with extension .bin")
        self._fetch(repository)
        return repository

    def _download_failed(self, words: str) -> None:
        self.log(f"Download encountered an error: \nTraceback (most recent call last):\n{words}", "ERROR", "download")
        self.story.say("Error: DownloadError")
        raise self.story.lose()

    def _fetch(self, repository: Repository) -> None:
        files = repository.weight_files
        if repository.local:
            return self.log("Files are already present on the host. Skipping download.", span="download", after=1)
        each = fetching.download_seconds(self.situation, repository) / len(files)
        if fetching.disk_is_too_small(self.situation, repository):
            self.log(f"Download file: {files[0]}")
            self.log("Download encountered an error: ", "ERROR", "download")
            lost = fetching.full_disk(self.story, repository, self.situation.machine.disk_gb, each)
            self.story.say("Error: DownloadError")
            raise lost
        for number, file in enumerate(files, 1):
            self.log(f"Download file: {file}")
            path = f"/tmp/models--{self.name.replace('/', '--')}/snapshots/5f0b02c7/{file}"
            self.log(f"Downloaded {path} in {_clock(each)}.", after=each)
            self.log(f"Download: [{number}/{len(files)}] -- ETA: {_clock(each * (len(files) - number))}")
        if repository.pickled:
            self._convert(repository)
        return self.log(f"Successfully downloaded weights for {self.name}", span="download")

    def _convert(self, repository: Repository) -> None:
        self.log(
            f"No safetensors weights found for model {self.name} at revision None. Converting PyTorch weights to "
            "safetensors.", "WARN",
        )  # fmt: skip
        # torch.load keeps a file in host memory while it is written out again.
        largest = max(repository.files[file] for file in repository.weight_files) / 2**30
        self.story.wait(largest * 6)
        if largest * 1.9 > self.situation.machine.ram_gib:
            self.story.say("Error: DownloadError")
            self.log("Download process was signaled to shutdown with signal 9: ", "ERROR", "download")
            raise self.story.lose()

    def _check_shards(self, repository: Repository) -> None:
        for rank in range(self.shards):
            self.log("Starting shard", span="shard-manager", after=0.1)
            self.story.lines[-1] = (self.story.now, self.story.lines[-1][1] + f" rank={rank}")
        heads = repository.number("num_attention_heads", 1)
        if heads % self.shards:
            self._shard_fails(
                f"ValueError: `num_heads` must be divisible by `num_shards` (got `num_heads`: {heads} and "
                f"`num_shards`: "
                f"{self.shards}", 9,
            )  # fmt: skip
        if self.situation.machine.gpus == 0 or self.situation.machine.compute_capability < (7, 5):
            self._shard_fails("RuntimeError: GPU with CUDA capability 7 0 is not supported", 6)
        if not support.knows_architecture("tgi", self.situation.version, repository):
            kind = repository.config.get("model_type") or repository.architecture
            self._shard_fails(f"ValueError: Unsupported model type {kind}", 9)
        if not support.knows_rope("tgi", self.situation.version, repository):
            self._shard_fails(
                "ValueError: `rope_scaling` must be a dictionary with two fields, `type` and `factor`, got "
                f"{repository.config['rope_scaling']}", 9,
            )  # fmt: skip
        self._check_files(repository)

    def _check_files(self, repository: Repository) -> None:
        if repository.needs_remote_code and self.env.get("HF_MODEL_TRUST_REMOTE_CODE", "").lower() != "true":
            self._shard_fails(
                f"ValueError: Loading {self.name} requires you to execute the configuration file in that repo on your "
                "local machine. Make sure you have read the code there to avoid malicious use, then set the option "
                "`trust_remote_code=True` to remove this error.", 8,
            )  # fmt: skip
        if not repository.has_tokenizer:
            self._shard_fails(
                f"OSError: Can't load tokenizer for '{self.name}'. If you were trying to load it from "
                "'https://huggingface.co/models', make sure you don't have a local directory with the same name.", 10,
            )  # fmt: skip
        if repository.incomplete:
            self._shard_fails(
                "safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer", 14
            )
        stored = repository.quantization
        if self.quantize in ("awq", "gptq") and stored is None:
            self._shard_fails("RuntimeError: weight model.layers.0.self_attn.q_proj.qweight does not exist", 16)
        if stored and stored not in support.TGI_QUANTIZATIONS:
            self._shard_fails(f"ValueError: Unknown quantization method {stored}", 10)

    def _load(self, repository: Repository) -> None:
        machine = self.situation.machine
        each = memory.weights_each(repository, self.shards, self.quantize)
        # Quantising while loading takes the CPU: about twice as long in public reports of bitsandbytes starts.
        slower = 2.0 if (self.quantize or "").startswith("bitsandbytes") else 1.0
        seconds = 12 + slower * repository.weights_gib / self.shards / machine.load_gib_per_second
        seconds *= 1 + 0.1 * (self.shards - 1)
        if memory.does_not_fit(machine, each):
            self._waiting(seconds * machine.gpu_gib / each)
            self._shard_fails(
                "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB. GPU 0 has a total capacity "
                f"of {machine.gpu_gib:.2f} GiB of which 88.12 MiB is free. Process 21437 has "
                f"{machine.gpu_gib - 0.09:.2f} "
                "GiB memory in use.", 1, where="get_weights_col_packed_qkv",
            )  # fmt: skip
        if self.version >= (3, 0):
            self.log(f"Using attention {self._attention()} - Prefix caching {self._attention() != 'paged'}", after=5)
        self._waiting(seconds)
        for rank in range(self.shards):
            self.log(f"Server started at unix:///tmp/text-generation-server-{rank}")
        for rank in range(self.shards):
            self.log(f"Shard ready in {seconds:.9f}s rank={rank}", span="shard-manager")

    def _attention(self) -> str:
        return "flashinfer" if self.situation.machine.compute_capability >= _NOT_FLASH else "paged"

    def _waiting(self, seconds: float) -> None:
        while seconds > 0:
            self.log("Waiting for shard to be ready... rank=0", span="shard-manager", after=min(10.0, seconds))
            seconds -= 10

    def _warm_up(self, repository: Repository) -> None:
        self.log("Starting Webserver", after=0.5)
        self.log("Warming up model", after=1.5, who="router")
        room = memory.tgi_room(self.situation.machine, repository, self.shards, self.quantize)
        tokens = max(0, int(room.cache * 2**30 / repository.kv_bytes_per_token(self.shards)))
        prefill = _number(self.env.get("MAX_BATCH_PREFILL_TOKENS"), 4096)
        if tokens < prefill:
            self.log(
                "Method Warmup encountered an error.\nTraceback (most recent call "
                "last):\ntorch.OutOfMemoryError: CUDA out "
                f"of memory. Tried to allocate 344.00 MiB.\nRuntimeError: Not enough memory to handle {prefill} "
                f"prefill "
                "tokens. You need to decrease `--max-batch-prefill-tokens`", "ERROR", after=6,
            )  # fmt: skip
            self.story.say(
                f'Error: Backend(Warmup(Generation("Not enough memory to handle {prefill} prefill tokens. You need to '
                'decrease `--max-batch-prefill-tokens`")))'
            )
            self.log("Webserver Crashed", "ERROR", after=1)
            self.story.say("Error: WebserverFailed")
            raise self.story.lose()
        total = _number(self.env.get("MAX_TOTAL_TOKENS"), 0)
        if total > tokens:
            self._invalid(f"`max_total_tokens` must be <= `max_batch_total_tokens`. Given: {total} and {tokens}")
        self.log("Cuda Graphs are enabled for sizes [32, 16, 8, 4, 2, 1]", after=9)
        self.log(f"Setting max batch total tokens to {tokens}", after=6, who="router")
        if not repository.chat_template:
            self.log("Could not find a chat template for this model: chat completions are off", "WARN", who="router")
        self.log("Using the Hugging Face API to retrieve tokenizer config", after=1, who="router")
        self.log("Connected", after=1, who="router")

    def _shard_fails(self, words: str, after: float, where: str = "get_model") -> None:
        trace = (
            f'Traceback (most recent call last):\n  File "/opt/conda/bin/text-generation-server", line 8, in <module>\n'
            f'    sys.exit(app())\n  File "text_generation_server/models/__init__.py", line 871, in {where}\n{words}'
        )
        self.log("Error when initializing model\n" + trace, "ERROR", after=after)
        self.log(f"Shard complete standard error output:\n\n{trace}", "ERROR", "shard-manager", after=2)
        self.log("Shard 0 failed to start", "ERROR", after=0.5)
        self.log("Shutting down shards")
        self.story.say("Error: ShardCannotStart", 0.5)
        raise self.story.lose()


def start(situation: Situation, story: Story) -> Repository:
    """Plays one start; raises Lost where it fails."""
    return Launcher(situation, story).start()


def chat_stops(version: str, repository: Repository) -> bool:
    """Whether generation ends where the model ends its turn.

    Llama 3 ends with <|eot_id|>, named only in generation_config, which TGI reads from 2.0.2 on (pull request 1808).
    """
    llama3 = repository.architecture == "LlamaForCausalLM" and repository.number("vocab_size") == 128256
    return not llama3 or numbers(version) >= (2, 0, 2)


def _some(value: object) -> str:
    return "None" if value is None else f"Some({value})"


def _number(text: str | None, default: int) -> int:
    try:
        return int(text) if text else default
    except ValueError:
        return default


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02d}:{int(seconds) % 60:02d}"


__all__ = ["Lost", "chat_stops", "start"]
