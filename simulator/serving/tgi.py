"""Text Generation Inference, 1.4 to 3.3: launcher, download, shards, router, as it logs in CloudWatch."""

from __future__ import annotations

from simulator.serving import fetching, memory
from simulator.serving.filling import MEMORY
from simulator.serving.repository import HubRefused, Repository
from simulator.serving.situation import Situation, numbers
from simulator.serving.story import Story
from simulator.serving.tgi_checks import Checks
from simulator.serving.tgi_voice import number

_NOT_FLASH = (8, 0)


class Launcher(Checks):
    """One start of TGI: speaks in its format and remembers what it was told."""

    def start(self) -> Repository:
        """Plays the start up to serving; raises Lost where this TGI would end."""
        if not self.name:
            self.story.say("Error: HF_MODEL_ID must be set", 1)
            raise self.story.lose()
        self.show_arguments()
        repository = self._download()
        self.check_shards(repository)
        self._load(repository)
        self._warm_up(repository)
        return repository

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
            self.download_failed(f"FileNotFoundError: No local weights found in {self.name} with extension .bin")
        self._fetch(repository)
        return repository

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
        fetching.fill_disk(self.situation, self.story, repository, each * len(files))
        for done, file in enumerate(files, 1):
            self.log(f"Download file: {file}")
            path = f"/tmp/models--{self.name.replace('/', '--')}/snapshots/5f0b02c7/{file}"
            self.log(f"Downloaded {path} in {_clock(each)}.", after=each)
            self.log(f"Download: [{done}/{len(files)}] -- ETA: {_clock(each * (len(files) - done))}")
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
        used = 100 * largest * 1.9 / self.situation.machine.ram_gib
        self.story.fill(MEMORY, min(100.0, used), largest * 6)
        self.story.wait(largest * 6)
        if used > 100:
            self.story.say("Error: DownloadError")
            self.log("Download process was signaled to shutdown with signal 9: ", "ERROR", "download")
            raise self.story.lose()
        self.story.fill(MEMORY, 20.0, 1)

    def _load(self, repository: Repository) -> None:
        machine = self.situation.machine
        each = memory.weights_each(repository, self.shards, self.quantize)
        # Quantising while loading takes the CPU: about twice as long in public reports of bitsandbytes starts.
        slower = 2.0 if (self.quantize or "").startswith("bitsandbytes") else 1.0
        seconds = 12 + slower * repository.weights_gib / self.shards / machine.load_gib_per_second
        seconds *= 1 + 0.1 * (self.shards - 1)
        memory.fill_gpus(self.story, machine, each, self.shards, seconds)
        if memory.does_not_fit(machine, each):
            self.waiting(seconds * machine.gpu_gib / each)
            self.shard_fails(
                "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB. GPU 0 has a total capacity "
                f"of {machine.gpu_gib:.2f} GiB of which 88.12 MiB is free. Process 21437 has "
                f"{machine.gpu_gib - 0.09:.2f} "
                "GiB memory in use.", 1, where="get_weights_col_packed_qkv",
            )  # fmt: skip
        # Printed by healthy starts as well: only the LoRA kernels of newer GPUs are missing.
        self.log("Could not import SGMV kernel from Punica, falling back to loop.", "WARN", after=2)
        if self.version >= (3, 0):
            self.log(f"Using attention {self._attention()} - Prefix caching {self._attention() != 'paged'}", after=5)
        self.waiting(seconds)
        for rank in range(self.shards):
            self.log(f"Server started at unix:///tmp/text-generation-server-{rank}")
        for rank in range(self.shards):
            self.log(f"Shard ready in {seconds:.9f}s rank={rank}", span="shard-manager")

    def _attention(self) -> str:
        return "flashinfer" if self.situation.machine.compute_capability >= _NOT_FLASH else "paged"

    def _warm_up(self, repository: Repository) -> None:
        self.log("Starting Webserver", after=0.5)
        self.log("Warming up model", after=1.5, who="router")
        room = memory.tgi_room(self.situation.machine, repository, self.shards, self.quantize)
        tokens = max(0, int(room.cache * 2**30 / repository.kv_bytes_per_token(self.shards)))
        prefill = number(self.env.get("MAX_BATCH_PREFILL_TOKENS"), 4096)
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
        total = number(self.env.get("MAX_TOTAL_TOKENS"), 0)
        if total > tokens:
            self.invalid(f"`max_total_tokens` must be <= `max_batch_total_tokens`. Given: {total} and {tokens}")
        self.log("Cuda Graphs are enabled for sizes [32, 16, 8, 4, 2, 1]", after=9)
        self.log(f"Setting max batch total tokens to {tokens}", after=6, who="router")
        if not repository.chat_template:
            self.log("Could not find a chat template for this model: chat completions are off", "WARN", who="router")
        self.log("Using the Hugging Face API to retrieve tokenizer config", after=1, who="router")
        self.log("Connected", after=1, who="router")


def start(situation: Situation, story: Story) -> Repository:
    """Plays one start; raises Lost where it fails."""
    return Launcher(situation, story).start()


def chat_stops(version: str, repository: Repository) -> bool:
    """Whether generation ends where the model ends its turn.

    Llama 3 ends with <|eot_id|>, named only in generation_config, which TGI reads from 2.0.2 on (pull request 1808).
    """
    llama3 = repository.architecture == "LlamaForCausalLM" and repository.number("vocab_size") == 128256
    return not llama3 or numbers(version) >= (2, 0, 2)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02d}:{int(seconds) % 60:02d}"
