"""vLLM's API server: banner, checkpoint shards, profiling, KV cache and graphs, worded as the version words them."""

from __future__ import annotations

from simulator.serving import fetching, memory
from simulator.serving.filling import GPU_MEMORY
from simulator.serving.repository import HubRefused, Repository
from simulator.serving.situation import Situation
from simulator.serving.story import Lost, Story
from simulator.serving.vllm_arguments import from_environment, refuse_unknown
from simulator.serving.vllm_checks import Checks

# AWS's image restarts a crashing server three times before the container ends (its PROCESS_AUTO_RECOVERY setting).
_RECOVERIES = 3


class Engine(Checks):
    """One start of vLLM with given arguments."""

    def start(self) -> Repository:
        """Plays the start up to serving; raises Lost where it fails."""
        self.log("Automatically detected platform cuda.", "__init__.py:216", after=9)
        refuse_unknown(self.arguments, self.text_version, self.story)
        self.log(f"vLLM API server version {self.text_version}", "api_server.py:1896", after=3)
        shown = {"model": self.name, **self.arguments.given}
        self.log(f"non-default args: {shown}", "utils.py:326")
        repository = self._repository()
        self.check_config(repository)
        self.check_parallel(repository)
        self._load(repository)
        self._cache(repository)
        self._listen(repository)
        return repository

    def _repository(self) -> Repository:
        revision = self.arguments.text("revision") or "main"
        token = self.situation.environment.get("HF_TOKEN") or self.situation.environment.get("HUGGING_FACE_HUB_TOKEN")
        try:
            return fetching.find(self.situation, self.name, revision, token)
        except HubRefused as refused:
            self.trace(fetching.refusal_text(refused, self.name, revision), 5)
            self.story.say(self._os_error(refused, revision))
            raise self.story.lose() from None

    def _os_error(self, refused: HubRefused, revision: str) -> str:
        if refused.kind == "gated":
            return (
                "OSError: You are trying to access a gated repo.\nMake sure to have access to it at "
                f"https://huggingface.co/{self.name}.\n{refused.status} Client Error."
            )
        if refused.kind == "revision":
            return f"OSError: {revision} is not a valid git identifier (branch name, tag name or commit id) that exists"
        if refused.kind == "missing":
            return (
                f"OSError: {self.name} is not a local folder and is not a valid model identifier listed on "
                "'https://huggingface.co/models'"
            )
        return (
            "OSError: We couldn't connect to 'https://huggingface.co' to load the files, and couldn't find them in the "
            "cached files."
        )

    def _load(self, repository: Repository) -> None:
        self.log(f"Initializing a V1 LLM engine (v{self.text_version}) with config: model='{self.name}', "
                 f"tensor_parallel_size={self.tensor_parallel}, quantization={self.quantization}", "core.py:94",
                 after=12, core=True)  # fmt: skip
        self.story.say(
            f"{self.process(True)}[W socket.cpp:464] [c10d] The server socket cannot be initialized on [::]:29500 "
            "(errno: 97 - Address family not supported by protocol).", 1,
        )  # fmt: skip
        self.log(f"Starting to load model {self.name}...", "gpu_model_runner.py:2602", after=5, core=True)
        seconds = 0.0 if self.downloaded else fetching.download_seconds(self.situation, repository)
        files = max(1, len(repository.weight_files))
        if fetching.disk_is_too_small(self.situation, repository):
            raise fetching.full_disk(self.story, repository, self.situation.machine.disk_gb, seconds / files)
        each = memory.weights_each(repository, self.tensor_parallel, self.quantization)
        if repository.incomplete or not repository.weight_files:
            self._corrupt(repository, seconds)
        machine = self.situation.machine
        loading = each / machine.load_gib_per_second * (1 + 0.1 * (self.tensor_parallel - 1))
        if not self.downloaded:
            fetching.fill_disk(self.situation, self.story, repository, seconds)
        memory.fill_gpus(self.story, machine, each, self.tensor_parallel, loading, after=seconds)
        self.downloaded = True
        if memory.does_not_fit(machine, each):
            self._out_of_memory(seconds + loading * machine.gpu_gib / each)
        if not repository.local:
            self.log(f"Time spent downloading weights for {self.name}: {seconds:.6f} seconds", "weight_utils.py:392",
                     after=seconds, core=True)  # fmt: skip
        self._shards(files, loading)
        self.log(f"Loading weights took {loading:.2f} seconds", "default_loader.py:267", core=True)
        self.log(f"Model loading took {each:.4f} GiB and {loading + seconds:.6f} seconds", "gpu_model_runner.py:2653",
                 after=1, core=True)  # fmt: skip

    def _corrupt(self, repository: Repository, seconds: float) -> None:
        if not repository.weight_files:
            words = f"RuntimeError: Cannot find any model weights with `{self.name}`"
        else:
            words = "safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer"
        self.core_trace(words, seconds + 8)

    def _shards(self, files: int, seconds: float) -> None:
        pace = seconds / files
        for done in range(files + 1):
            self.story.say(
                f"{self.process(True)}Loading safetensors checkpoint shards: {100 * done // files:3d}% Completed | "
                f"{done}/{files} [{_clock(pace * done)}<{_clock(pace * (files - done)) if done else '?'}, "
                f"{pace:5.2f}s/it]", pace if done else 0.5,
            )  # fmt: skip

    def _out_of_memory(self, after: float) -> None:
        total = self.situation.machine.gpu_gib
        self.core_trace(
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB. GPU 0 has a total capacity of "
            f"{total:.2f} GiB of which 88.12 MiB is free. Including non-PyTorch memory, this process has "
            f"{total - 0.09:.2f} "
            f"GiB memory in use. Of the allocated memory {total - 0.4:.2f} GiB is allocated by PyTorch",
            after, where="create_weights",
        )  # fmt: skip

    def _cache(self, repository: Repository) -> None:
        eager = self.arguments.on("enforce-eager")
        if not eager and self.version >= (0, 8):
            self.log("Dynamo bytecode transform time: 8.12 s", "backends.py:559", after=9, core=True)
            self.log("torch.compile takes 36.40 s in total", "monitor.py:34", after=28, core=True)
        machine = self.situation.machine
        default = memory.vllm_default_utilization(self.text_version)
        share = self.arguments.share("gpu-memory-utilization", default)
        sequences = self.arguments.number("max-num-seqs", memory.vllm_default_sequences(machine, self.text_version))
        room = memory.vllm_room(
            machine, repository, self.text_version, tensor_parallel=self.tensor_parallel, utilization=share,
            sequences=sequences, eager=eager, online=self.quantization,
        )  # fmt: skip
        if self.arguments.text("kv-cache-memory-bytes"):
            room = memory.Room(room.weights, room.taken, self.arguments.number("kv-cache-memory-bytes", 0) / 2**30)
        self._fits(repository, room)
        if not eager:
            # Healthy starts print this; so does the socket warning below.
            self.log(
                "Capturing cudagraphs for decoding. This may lead to unexpected consequences if the model is not "
                "static. If out-of-memory error occurs during cudagraph capture, consider decreasing "
                "`gpu_memory_utilization` or switching to eager mode.", "model_runner.py:1491", core=True,
            )  # fmt: skip
            self.log("Graph capturing finished in 21 secs, took 0.58 GiB", "gpu_model_runner.py:3480", after=21,
                     core=True)  # fmt: skip
        self.log("init engine (profile, create kv cache, warmup model) took 62.13 seconds", "core.py:210", core=True)

    def _fits(self, repository: Repository, room: memory.Room) -> None:
        if room.cache <= 0:
            self.core_trace("ValueError: No available memory for the cache blocks. Try increasing "
                             "`gpu_memory_utilization` when initializing the engine.", 6)  # fmt: skip
        small = 1.0 if "fp8" in (self.arguments.text("kv-cache-dtype") or "") else 2.0
        per_token = repository.kv_bytes_per_token(self.tensor_parallel, small)
        tokens = int(room.cache * 2**30 / per_token) // 16 * 16
        automatic = self.arguments.text("max-model-len") in ("auto", "-1") and self.version >= (0, 14)
        length = min(self.length(repository), tokens) if automatic else self.length(repository)
        if self.version >= (0, 8):
            self.log(f"Available KV cache memory: {room.cache:.2f} GiB", "gpu_worker.py:298", after=5, core=True)
        if tokens < length:
            self.core_trace(self._too_long(length, tokens, per_token, room.cache), 1)
        if self.version >= (0, 8):
            self.log(f"GPU KV cache size: {tokens:,} tokens", "kv_cache_utils.py:1087", core=True)
        else:
            self.log(f"# GPU blocks: {tokens // 16}, # CPU blocks: 2048", "executor_base.py:111", core=True)
        self.log(f"Maximum concurrency for {length:,} tokens per request: {tokens / length:.2f}x",
                 "kv_cache_utils.py:1091", core=True)  # fmt: skip

    def _too_long(self, length: int, tokens: int, per_token: float, cache: float) -> str:
        advice = "Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine."
        if self.version < (0, 8):
            return (
                f"ValueError: The model's max seq len ({length}) is larger than the maximum number of tokens "
                f"that can be "
                f"stored in KV cache ({tokens}). {advice}"
            )
        models = "model's" if self.version >= (0, 11) else "models's"
        return (
            f"ValueError: To serve at least one request with the {models} max seq len ({length}), ("
            f"{length * per_token / 2**30:.2f} GiB KV cache is needed, which is larger than the available KV "
            f"cache memory "
            f"({cache:.2f} GiB). Based on the available memory, the estimated maximum model length is {tokens}. "
            f"{advice}"
        )

    def _listen(self, repository: Repository) -> None:
        if not repository.chat_template and not self.arguments.text("chat-template"):
            self.log("No chat template is set: chat completions will be refused", "serving_chat.py:118", "WARNING")
        self.log("Starting vLLM server on http://0.0.0.0:8080", "api_server.py:1845", after=3)
        self.log("Available routes are:", "launcher.py:36")
        for route in ("/health", "/ping", "/invocations", "/v1/chat/completions", "/v1/completions"):
            self.log(f"Route: {route}, Methods: GET, POST", "launcher.py:44")
        self.story.say(f"{self.process(False)}INFO:     Started server process [1]")
        self.story.say(f"{self.process(False)}INFO:     Waiting for application startup.")
        self.story.say(f"{self.process(False)}INFO:     Application startup complete.", 1)


def start(situation: Situation, story: Story) -> Repository:
    """AWS's vLLM image: entrypoint, supervisor, server; raises Lost where all attempts failed."""
    environment = situation.environment
    arguments = from_environment(environment, "SM_VLLM_")
    local = "/opt/ml/model" if situation.local and situation.local["files"] else None
    name = arguments.given.pop("model", None) or local or environment.get("HF_MODEL_ID")
    if not name:
        story.say("ERROR: no model: set SM_VLLM_MODEL or HF_MODEL_ID, or provide model data in /opt/ml/model", 1)
        raise story.lose()
    recoveries = _RECOVERIES if environment.get("PROCESS_AUTO_RECOVERY", "true").lower() == "true" else 0
    engine = Engine(situation, story, arguments, name)
    for attempt in range(1 + recoveries):
        try:
            repository = engine.start()
            story.exit_code = None
            return repository
        except Lost as lost:
            story.say(_supervisor(story, "WARN", f"exited: llm-engine (exit status {lost.exit_code}; not expected)"), 1)
            if attempt == recoveries:
                raise
            story.fill(GPU_MEMORY, 0.0, 1)
            story.say(_supervisor(story, "INFO", f"spawned: 'llm-engine' with pid {95 + attempt}"), 2)
    raise story.lose()


def _supervisor(story: Story, level: str, text: str) -> str:
    return f"{story.date()},{int(story.now % 1 * 1000):03d} {level} {text}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
