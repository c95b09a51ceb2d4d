"""SGLang's server: ServerArgs, weights, memory pool, CUDA graphs, "fired up"."""

from __future__ import annotations

from simulator.serving import fetching, memory, support
from simulator.serving.repository import HubRefused, Repository
from simulator.serving.situation import Situation
from simulator.serving.story import Story
from simulator.serving.vllm_arguments import Arguments, from_environment, known_flags

# mem_fraction_static by tensor parallel degree: SGLang 0.4 server_args.py.
_FRACTIONS = {1: 0.88, 2: 0.87, 4: 0.85, 8: 0.81}


class Server:
    """One start of SGLang."""

    def __init__(self, situation: Situation, story: Story, arguments: Arguments) -> None:
        self.situation, self.story, self.arguments = situation, story, arguments
        self.name = arguments.text("model-path") or "/opt/ml/model"
        self.tensor_parallel = arguments.number("tp", arguments.number("tp-size", 1))

    def log(self, text: str, after: float = 0.0, rank: bool = False) -> None:
        """One record in SGLang's format."""
        self.story.wait(after)
        who = " TP0" if rank and self.tensor_parallel > 1 else ""
        self.story.say(f"[{self.story.date()}{who}] {text}")

    def start(self) -> Repository:
        """Plays the start up to serving; raises Lost where it fails."""
        self._refuse_unknown()
        given = ", ".join(f"{key.replace('-', '_')}={value!r}" for key, value in self.arguments.given.items())
        self.log(f"server_args=ServerArgs(model_path='{self.name}', {given})", 9)
        repository = self._repository()
        self._check(repository)
        self._load(repository)
        self._pool(repository)
        if not self.arguments.on("disable-cuda-graph"):
            self.log("Capture cuda graph begin. This can take up to several minutes.", rank=True)
            self.log("Capture cuda graph end. Time elapsed: 24.15 s. mem usage=0.62 GB.", 24, rank=True)
        self.story.say("INFO:     Started server process [1]\nINFO:     Application startup complete.", 2)
        self.log("The server is fired up and ready to roll!", 3)
        return repository

    def _refuse_unknown(self) -> None:
        unknown = [name for name in self.arguments.given if name not in known_flags("sglang")["all"]]
        if unknown:
            words = " ".join(f"--{name} {self.arguments.given[name]}".strip() for name in unknown)
            self.story.say("usage: launch_server.py [-h] --model-path MODEL_PATH ...", 6)
            self.story.say(f"launch_server.py: error: unrecognized arguments: {words}")
            raise self.story.lose(2)

    def _repository(self) -> Repository:
        revision = self.arguments.text("revision") or "main"
        try:
            return fetching.find(self.situation, self.name, revision, self.situation.environment.get("HF_TOKEN"))
        except HubRefused as refused:
            self.story.say(
                "Traceback (most recent call last):\n" + fetching.refusal_text(refused, self.name, revision), 5
            )
            raise self.story.lose() from None

    def _check(self, repository: Repository) -> None:
        heads, gpus = repository.number("num_attention_heads", 1), self.situation.machine.gpus
        if not support.knows_architecture("sglang", self.situation.version, repository):
            self._fails(f"ValueError: Model architectures ['{repository.architecture}'] are not supported for now.", 8)
        if repository.needs_remote_code and not self.arguments.on("trust-remote-code"):
            self._fails(
                f"ValueError: Loading {self.name} requires you to execute the configuration file in that repo on "
                "your local machine. Please set the option `trust_remote_code=True` to remove this error.",
                6,
            )
        if not repository.has_tokenizer:
            self._fails(f"OSError: Can't load tokenizer for '{self.name}'.", 6)
        if heads % self.tensor_parallel:
            self._fails(f"AssertionError: {heads} is not divisible by {self.tensor_parallel}", 12)
        if self.tensor_parallel > gpus:
            self._fails("torch.AcceleratorError: CUDA error: invalid device ordinal", 10)
        # AWS's build compiles parts for 9.0, 10.0 and 10.3 only; whether it runs on older GPUs is not established.
        if self.situation.machine.compute_capability < (7, 5):
            self._fails("RuntimeError: SGLang only supports sm75 and above.", 8)

    def _load(self, repository: Repository) -> None:
        machine = self.situation.machine
        seconds = fetching.download_seconds(self.situation, repository)
        files = max(1, len(repository.weight_files))
        before = machine.gpu_gib - 0.5
        self.story.say("Ignore import error when loading sglang.srt.models.grok. cannot import name 'GrokConfig'", 4)
        self.log(f"Load weight begin. avail mem={before:.2f} GB", 8, rank=True)
        if fetching.disk_is_too_small(self.situation, repository):
            raise fetching.full_disk(self.story, repository, machine.disk_gb, seconds / files)
        if repository.incomplete or not repository.weight_files:
            self._fails("safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer",
                        seconds + 6)  # fmt: skip
        each = memory.weights_each(repository, self.tensor_parallel, None)
        loading = each / machine.load_gib_per_second * (1 + 0.1 * (self.tensor_parallel - 1))
        fetching.fill_disk(self.situation, self.story, repository, seconds)
        memory.fill_gpus(self.story, machine, each, self.tensor_parallel, loading, after=seconds)
        if memory.does_not_fit(machine, each):
            self._fails("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB. GPU 0 has a total "
                        f"capacity of {machine.gpu_gib:.2f} GiB of which 88.12 MiB is free.",
                        seconds + loading * machine.gpu_gib / each, where="create_weights")  # fmt: skip
        self.story.wait(seconds)
        for done in range(files + 1):
            self.story.say(f"Loading safetensors checkpoint shards: {100 * done // files:3d}% Completed | "
                           f"{done}/{files} "
                           f"[00:{int(loading / files * done) % 60:02d}<00:00, {loading / files:5.2f}s/it]",
                           loading / files if done else 0)  # fmt: skip
        self.log(f"Load weight end. type={repository.architecture}, dtype=torch.bfloat16, avail "
                 f"mem={before - each:.2f} "
                 f"GB, mem usage={each:.2f} GB.", 1, rank=True)  # fmt: skip

    def _pool(self, repository: Repository) -> None:
        fraction = self.arguments.share("mem-fraction-static", _FRACTIONS.get(self.tensor_parallel, 0.79))
        room = memory.sglang_room(self.situation.machine, repository, self.tensor_parallel, fraction)
        if room.cache <= 0:
            self._fails("RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.", 2)
        tokens = int(room.cache * 2**30 / repository.kv_bytes_per_token(self.tensor_parallel))
        half = room.cache / 2
        self.log(
            f"KV Cache is allocated. #tokens: {tokens}, K size: {half:.2f} GB, V size: {half:.2f} GB", 1, rank=True
        )
        length = self.arguments.number("context-length", repository.number("max_position_embeddings", 4096))
        self.log(f"max_total_num_tokens={tokens}, chunked_prefill_size=8192, max_prefill_tokens=16384, "
                 f"max_running_requests=2049, context_len={length}", 1, rank=True)  # fmt: skip

    def _fails(self, words: str, after: float, where: str = "__init__") -> None:
        self.log("Scheduler hit an exception: Traceback (most recent call last):", after, rank=True)
        self.story.say(f'  File "sglang/srt/managers/scheduler.py", line 2215, in {where}\n{words}\n')
        self.log("Received sigquit from a child process. It usually means the child failed.", 1)
        self.story.say("Killed")
        raise self.story.lose(137)


def start(situation: Situation, story: Story) -> Repository:
    """AWS's SGLang image: SM_SGLANG_* become flags, HF_MODEL_ID is not read; raises Lost where it fails."""
    arguments = from_environment(situation.environment, "SM_SGLANG_")
    if not arguments.text("model-path") and not (situation.local and situation.local["files"]):
        story.say("OSError: Incorrect path_or_model_id: '/opt/ml/model'. Please provide either the path to a "
                  "local folder "
                  "or the repo_id of a model on the Hub.", 8)  # fmt: skip
        raise story.lose()
    return Server(situation, story, arguments).start()
