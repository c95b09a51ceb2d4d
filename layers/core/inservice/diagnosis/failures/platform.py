"""Failures of the ground a server stands on: GPU, driver, compiler, image, entry point, arguments, time."""

# ruff: noqa: E501 - the signs are data: a table whose rows would only get harder to read if wrapped.

from __future__ import annotations

from inservice.diagnosis.failures.decisions import (
    capture_refused,
    setting_refused,
    whose_source,
    why_no_flash_attention,
    why_not_valid,
)
from inservice.diagnosis.failures.failure import FRAMES, ROOT, SPECIFIC, SYMPTOM, WEAK, Failure, sign

# Programs that build kernels have options of their own, and refuse those of another version.
COMPILERS = r"\b(?:nvcc|gcc|g\+\+|clang|cc1(?:plus)?|ptxas|cicc|hipcc|ninja|cmake|ld|collect2|nvlink|fatbinary)\b"

# Libraries of kernels call a GPU's generation its architecture.
KERNELS = r"flashinfer|cutlass|fmha|\.cuh?:\d+"

PLATFORM_FAILURES: tuple[Failure, ...] = (
    Failure(
        "gpu_too_old", "UNSUPPORTED_GPU", ROOT - 2, 0.95,
        "The GPU cannot run what the image or the settings ask for.",
        "Use an instance type with a newer GPU, or an older image, data type or attention backend.",
        (
            sign("incompatible device", r"engine|plan"), sign("no kernel image is available"), sign("invalid kernel file"), sign("hiperrorinvalidkernelfile"),
            sign("only supports sm"), sign("no operator found for `memory_efficient"), sign("requires device with capability"), sign("gpu archs", r"invalid or not supported"), sign("only support sm"), sign("only supported on gpus with"), sign("is only supported on devices"), sign("only supports ampere"), sign("ampere gpus or newer"),
            sign("fa2 is only supported"), sign("requires flash attention", None, r"INFO"), sign("flash attention v2, stk"), sign("flash attention enabled models", None, r"WARN|Could not import"),
            sign("current gpu", r"not supported (?:for|on|by)\s+the current gpu"), sign("with cuda capability", r"not supported"), sign("fp8 kv-cache on this device"), sign("minimum capability"), sign("not supported on this gpu"), sign("not supported in this architecture"), sign("fp8e4nv"), sign("not supported on this device"), sign("gpu is not supported"), sign("gpu not supported"), sign("unsupported gpu"),
            sign("device-type mismatch"), sign("device acquire failed"), sign("arch_mismatch"), sign("out of resource", r"shared memory"), sign("outofresources", r"shared memory|Hardware limit"), sign("hardware limit:"),
            sign("bfloat16 is only supported"), sign("compute cap", r"compute cap \S+ is not (?:supported|compatible)"), sign("invalid device function"), sign("unsupported architecture", KERNELS), sign("operation not supported", r"CUDA (?:runtime |driver )?error.{0,120}: operation not supported"),
        ),
        decide=why_no_flash_attention,
    ),
    Failure(
        # Names of GPUs and kernels also stand in choices that a server makes and reports.
        "gpu_hint", "UNSUPPORTED_GPU", ROOT - 2, 0.78,
        "The GPU most likely cannot run what the image or the settings ask for.",
        "Use an instance type with a newer GPU, or an older image, data type or attention backend.",
        (
            sign("nvfp4", r"does not support nvfp4", r"INFO|WARN"), sign("ampere", r"(?:require|only|need).{0,40}ampere", r"INFO|WARN|falling"), sign("only supported", r"only supported (?:in|by|with|on) (?:Flash ?(?:Attention|MLA|Infer)|FA ?[34])", r"INFO|WARN|`"), sign("fa version", r"not supported"),
            sign("flash attention", r"flash attention.{0,40}(?:not supported|is not available|only supported)|(?:sharded|tensor).{0,60}flash attention", r"INFO|WARN"), sign("flashattention", r"(?:requires|only supports|not supported)", r"INFO|WARN|falling|cannot use|head size|not supported (?:by|in|for|with)|INFO"),
            sign("blackwell", r"(?:only supported on|only supports?|requires?|needs?) .{0,40}blackwell", r"INFO|WARN|falling|; using"), sign("hopper", r"(?:only supported on|only supports?|requires?|needs?) .{0,40}hopper", r"INFO|WARN|falling|; using"), sign("sm_", r"\bsm_?\d+\w? is not (?:supported|compatible)|not supported on sm_?\d+|requires sm_?\d+"), sign("no valid attention backend"),
            sign("not valid for this configuration"), sign("compute capability", r"(?:only supported|at least|requires?|not supported|below|>=|minimum|has compute capability|less than|higher|does not)", r"Compute capability below sm80\. Use|INFO|WARN|falling back|cannot use flash"), sign("does not support bfloat16"),
        ),
        needs_error=True,
        decide=why_not_valid,
    ),
    Failure(
        "driver_mismatch", "UNSUPPORTED_GPU", ROOT - 1, 0.93,
        "The host's GPU driver and the image's CUDA do not match, or no GPU is visible.",
        "Set the host AMI that matches the image's CUDA (InferenceAmiVersion), and use a GPU instance type.",
        (
            sign("driver version is insufficient"), sign("driver on your system is too old"), sign("unsupported display driver"), sign("forward compatibility was attempted"), sign("cuda_error_compat_not_supported"), sign("error 803"), sign("error 804"),
            sign("found no nvidia driver"), sign("no gpus are available"), sign("server does not support gpus"), sign("unexpected error from cudagetdevicecount", None, r"out of memory"), sign("no accelerator", r"no accelerator\b.{0,80}(?:is available|was found|were found|detected)"), sign("no nvidia driver"), sign("no cuda gpus are available"), sign("no cuda-capable device"), sign("no gpus found"), sign("no gpu found"), sign("no gpu detected"), sign("failed to infer device type"), sign("device type", r"device type.{0,30}(?:empty|not be inferred)|infer device type"), sign("torch.cuda.is_available() is false"), sign("cuda is not available"), sign("torch not compiled with cuda"), sign("cuda unknown error"), sign("cuda driver initialization failed"), sign("driver/library version mismatch"),
            sign("[cuda-preflight]", r"fail|error|set |insufficient|InferenceAmi|too old|mismatch"), sign("unsatisfied condition: cuda"), sign("unsatisfied condition: driver"), sign("requirement error"), sign("could not select device driver"), sign("nvidia-container-cli", r"error"), sign("unsupported toolchain"), sign("cuda_error_no_device"), sign("unknown or invalid runtime name: nvidia"), sign("device kernel image is invalid"), sign("system not yet initialized"), sign("cuda error: system"),
        ),
    ),
    Failure(
        # Words around drivers and devices that may also belong to something else.
        "driver_hint", "UNSUPPORTED_GPU", ROOT - 1, 0.78,
        "The host's GPU driver and the image's CUDA most likely do not match, or no GPU is visible.",
        "Set the host AMI that matches the image's CUDA (InferenceAmiVersion), and use a GPU instance type.",
        (
            sign("support", r"not support(?:ed)? device type"), sign("impl_cpu", r"not implemented for"), sign("compat mode", r"unsupported|not supported"), sign("cuda initialization: ", r"error|unexpected|driver", r"UserWarning"), sign("nvml", r"(?:failed|error|couldn't|not found|nvmlerror)", r"INFO|WARN|deprecated|CUDACachingAllocator"),
            sign("neuron", r"no neuron device|nrt_init.{0,60}(?:fail|error)|neuron driver.{0,60}(?:not|incompat|old)"), sign("no gpu available", None, r"current node has"), sign("gpu is required"),
        ),
        needs_error=True,
    ),
    Failure(
        "compilation", "COMPILE_ERROR", SPECIFIC + 1, 0.88,
        "Compiling the model or its kernels failed.",
        "Turn compilation off (eager mode), or use an image that holds the compiler and headers.",
        (
            sign("inductorerror"), sign("torch._dynamo.exc"), sign("torch._inductor.exc"), sign("backendcompilerfailed"), sign("loweringexception"),
            sign("calledprocesserror", r"gcc|g\+\+|clang|nvcc|ninja|/cc\b|c\+\+|cmake|hipcc"), sign("ninja: build stopped"), sign("error building extension"), sign("nvcc fatal"), sign("unrecognized command", r"command.?line option"), sign("collect2: error"), sign("linker command failed"), sign("failed to find c compiler"), sign("fatal error:", r"\.(?:h|hpp|cuh):? ?(?:No such file|file not found)|\.h: no such"), sign("ninja is required"), sign("no such file or directory: '", r"directory: '(?:\S*/)?(?:ninja|nvcc|gcc|g\+\+|cc|c\+\+|clang|ld|ptxas|cmake|hipcc)'"), sign("ninja build failed"),
            sign("could not find nvcc"), sign("nvcc", r"(?:nvcc fatal|not found|no such file|error)", r"INFO|WARN"), sign("triton.compiler.errors"), sign("compilationerror"), sign("compilation failed"), sign("failed to compile", None, r"grammar"), sign("could not find any implementation for node"), sign("engine building failed"), sign("failed running call_function"),
            sign("cuda_utils", r"undefined symbol|cannot open|no such"), sign("passmanager::run failed"), sign("ptxas", r"fatal|error|failed|not defined"), sign("neuronx-cc", r"fail|error|status"), sign("neuronx_cc", r"fail|error"), sign("jit compil", r"error|fail"), sign("python.h", r"no such file|not found"), sign("libcuda.so: cannot find"), sign("libcuda.so cannot found"), sign("cannot find -lcuda"),
        ),
    ),
    Failure(
        "no_node_with_a_gpu", "CAPACITY", SPECIFIC, 0.82,
        "No node of the cluster has enough free GPUs.",
        "Add a node with such a GPU, or free one.",
        (sign("failedscheduling", r"Insufficient (?:nvidia|amd)\.com/gpu|Insufficient aws\.amazon\.com/neuron"),),
        at_any_level=True,
    ),
    Failure(
        "engine_of_another_version", "BAD_CONTAINER", SPECIFIC + 1, 0.76,
        "The engine was built by another version of TensorRT than the image runs.",
        "Build the engine again with this image, or use the image it was built with.",
        (sign("engine plan file is not compatible"), sign("serialization assertion", None)),
    ),
    Failure(
        # Names of compilers and their caches, with a word of failure near.
        "compile_hint", "COMPILE_ERROR", SPECIFIC + 1, 0.78,
        "Compiling the model or its kernels most likely failed.",
        "Turn compilation off (eager mode), or use an image that holds the compiler and headers.",
        (
            sign("torch.compile", r"(?:failed|error|unsupported|requires)", r"INFO|WARN|cache"), sign("compilation of", r"failed"), sign("torchdynamo_verbose=1"), sign("compilation error"), sign("compile failed"), sign("triton_cache", r"error|no such"), sign("neff", r"(?:fail|error|incompatib|mismatch|not found|version)", r"INFO"), sign("nvrtc", r"error|fail", r"cannot open shared object"),
            sign("tensorrt", r"(?:engine).{0,40}(?:build|deserializ|version|incompat).{0,40}(?:fail|error|mismatch|not)"), sign("deepgemm", r"(?:compil|jit).{0,40}(?:fail|error)|assertion error \("), sign("cuda_home", r"not set|environment variable|does not exist", r"INFO|WARN"), sign(".triton/cache"), sign("llvm error"),
        ),
        needs_error=True,
    ),
    Failure(
        # SGLang wraps whatever happened during the capture; its words decide when they tell anything.
        "graph_capture", "COMPILE_ERROR", FRAMES, 0.66,
        "Capturing CUDA graphs failed.",
        "Turn CUDA graphs off, or use an image whose kernels match the GPU.",
        (sign("capture cuda graph failed", None, r"out of memory|OutOfMemory"),),
        decide=capture_refused,
    ),
    Failure(
        "container_entry", "BAD_CONTAINER", ROOT - 2, 0.94,
        "The container's program cannot be started, or does not answer as SageMaker asks.",
        "Build the image for the instance's architecture, with an executable `serve`, answering /ping and /invocations on port 8080.",
        (
            sign("no such file or directory: 'nginx'"), sign("no such file or directory: 'serve'"), sign("exec format error"), sign("executable file not found"), sign("exec user process caused"),
            sign("exec: ", r"exec: \"?\S+\"?:? .{0,40}(?:not found|permission denied|no such file)"), sign("exec /", r"exec /\S+: (?:no such file|permission denied|exec format)"), sign("serve: ", r"serve: (?:not found|command not found|no such file)"), sign("bad interpreter"), sign("can't open file"), sign("unable to access jarfile"), sign("could not find or load main class"),
            sign("not found in path"), sign("java not found"), sign("executorworkernotfound"), sign("entry-point file not found"),
            # What a model's own script must bring (sagemaker_inference, multi-model-server).
            sign("please provide a model_fn implementation"), sign("expected only one class in custom service code"),
            sign("/ping http/1", r"/ping HTTP/1\.\d\"?,?\s+(?:4\d\d|5\d\d)", r"ACCESS_LOG - .{0,120}\s5\d\d"), sign("worker failed to boot"), sign("no handler found"), sign("no module named 'inference'"), sign("no module named 'code'"), sign("invalid mar"), sign("accept-bind-to-port"), sign("unrecognized content type"),
        ),
        at_any_level=False,
    ),
    Failure(
        # Parts of a serving container, with a word of failure near.
        "entry_hint", "BAD_CONTAINER", ROOT - 2, 0.78,
        "The container's program most likely cannot be started, or does not answer as SageMaker asks.",
        "Build the image for the instance's architecture, with an executable `serve`, answering /ping and /invocations on port 8080.",
        (
            sign("handler", r"handler.{0,60}(?:not found|could not|cannot|no such|failed to)", r"INFO|signal"), sign("model_fn", r"error|not|missing|none"), sign("has no attribute 'handle'"), sign("_fn", r"\w_fn (?:implementation in conjunction|definition takes)"), sign("inference.py", r"(?:no such|not found|missing)"), sign("input_fn", r"error|not implemented"), sign("entrypoint", r"no such file|not found|permission denied|cannot"), sign("permission denied", r"(?:entrypoint|\.sh|/serve|exec|bin/)"),
            sign("has no attribute 'tritonpythonmodel'"), sign("custom service code", r"Error"), sign("invalidmodelexception", None, r"config yaml"),
            sign("modelarchiv", r"error|failed|exception"), sign("command not found"), sign("operation not permitted", r"\bsh: \S+: Operation|(?:^|\s)bash: \S+: Operation"),
        ),
        needs_error=True,
    ),
    Failure(
        # The runtime's first line; why it could not stands behind it or on the next one.
        "container_not_created", "BAD_CONTAINER", SPECIFIC, 0.78,
        "The container could not be created.",
        "Read the rest of the message: a missing program, a driver, or a mount.",
        (
            sign("oci runtime create failed", None, r"cuda|nvidia|requirement"), sign("failed to create shim task", None, r"cuda|nvidia|requirement"), sign("runc create failed", None, r"cuda|nvidia"), sign("unable to start container process", None, r"cuda|nvidia"), sign("failed to start container", None, r"cuda|nvidia"),
        ),
    ),
    Failure(
        # On SageMaker only /tmp and /opt/ml are surely writable; the hub's cache defaults to the home folder.
        "folder_not_writable", "BAD_CONTAINER", WEAK + 5, 0.62,
        "The server may not write to a folder it needs.",
        "Point HF_HOME (and the server's own cache) to a folder the container's user may write, such as /tmp.",
        (sign("permissionerror", r"permission denied: |PermissionError at "), sign("read-only file system", r"Error: .{0,30}read-only"), sign("not writable", r"cache|folder|directory|model", r"INFO|WARN"),),
    ),
    Failure(
        "image_pull", "IMAGE_PULL", ROOT, 0.94,
        "The image cannot be fetched.",
        "Check that the image exists in this region and that the execution role may read the repository.",
        (
            sign("imagepullbackoff"), sign("errimagepull"), sign("pull access denied"), sign("manifest unknown"), sign("manifest for", r"not found"), sign("failed to pull image"), sign("failed to pull and unpack"), sign("error pulling image"), sign("toomanyrequests", r"pull|rate"), sign("no basic auth credentials"), sign("requested image not found"), sign("cannotpullcontainer"), sign("cannot pull"), sign("pull rate limit"), sign("invalidimagename"), sign("no matching manifest"), sign("repository does not exist", None), sign("back-off pulling image"), sign("image not found"), sign("unauthorized: authentication required"), sign("failed to resolve reference"),
        ),
        at_any_level=True,
    ),
    Failure(
        "bad_argument", "INVALID_ARGUMENT", ROOT - 8, 0.92,
        "The server refuses one of its arguments or environment variables.",
        "Correct or remove it; an unknown SM_VLLM_* or SM_SGLANG_* name becomes an unknown flag.",
        (
            sign("unexpected platform type"), sign("supplied chat template", r"failed to be opened"), sign("no attribute 'set_embed"), sign("'${", r"(?i:error|invalid|unable|fail).{0,200}'\$\{\w+\}'"), sign("unknown attention backend"), sign("distributed executor backend", r"unknown|unrecognized"), sign("distributed_executor_backend", r"unknown|unrecognized"), sign("load format", r"is not supported"), sign("load_format", r"unknown|must be"), sign("lora", r"not supported for LoRA|does not support LoRA"), sign("only 1 can be set between"), sign("arg is not set"), sign("are not set", r"--[a-z][\w-]+ and "), sign("unknown task ", r"available tasks"), sign("we can only expand worker"), sign("learning engine not found"), sign("secure mode", r"prohibited|permitted"), sign("attention kind", r"unsupported"), sign("unknown config format"), sign("model_config_parser", r"unknown"), sign("no model specified"), sign("port must be between"), sign("must be divisible by page_size"), sign("n_predict", r"divisible"), sign("load balance method", r"invalid"), sign("you need to define one of the following"), sign("task couldn't be inferenced"), sign("unrecognized arguments"), sign("could not determine backend for model"), sign("got an unexpected keyword argument", r"EngineArgs\S{0,14}\(\) got an unexpected"), sign("error: argument"), sign("invalid choice"), sign("unexpected argument"), sign("expected one argument"), sign("ambiguous option"), sign("no such option"), sign("error: invalid value", None, COMPILERS), sign("error: the following required arguments"), sign("following arguments are required"), sign("invalid value for"), sign("a value is required for"), sign("cannot be used multiple times"), sign("the argument '", r"cannot be used with"), sign("unknown option", None, COMPILERS), sign("unrecognized option", None, COMPILERS), sign("got unexpected extra argument"), sign("invalid value '"),
            sign("argumentvalidation"), sign("`max_input", r"must be"), sign("max_batch_prefill_tokens", r"must be"), sign("must be >= `?max", None), sign("`max_total_tokens` must be", None, r"max_batch_total"), sign("`max_input_length` must"), sign("derived max_model_len"), sign("vllm_allow_long_max_model_len"), sign("greater than the derived"), sign("max_position_embeddings", r"(?:greater|exceed|larger|longer)", r"INFO|WARN"), sign("max_num_batched_tokens", r"(?:smaller than|larger than max_num_batched|must be|greater than or equal|less than|too small)", r"INFO"), sign("max_num_seqs", r"(?:must be|smaller than|greater than|max_num_seqs \(\d+\) exceeds)", r"INFO|out of memory|consider"), sign("longer than the derived"), sign("context length", r"(?:exceeds|greater than|longer than|larger than).{0,80}(?:model|derived|context)", r"INFO|WARN|KV"),
            sign("invalid tool call parser"), sign("parser", r"parser.{0,60}\bnot (?:in the|one of|registered|supported|found|a valid)"), sign("engine arguments", r"Error: (?:please )?provide"), sign("invalid attention backend"), sign("expected target modules in"), sign("is only supported for", r"(?:Value|Assertion|NotImplemented)Error: \W?\w+ is only supported for", r"GPU|device|capability"), sign("invalid reasoning parser"), sign("max_lora_rank", r"greater than|must be|larger than|exceeds"), sign("cannot be enabled at the same time"), sign("cannot be used together"), sign("mutually exclusive"), sign("cannot both be"), sign("can't be used with"), sign("cannot be used with"), sign("not allowed with argument"), sign("cannot set both"),
            sign("vllm_port", r"(?:error|invalid|appears to be a uri|tcp://|looks like)"), sign("serving.properties", r"error|invalid|missing"), sign("no such argument"), sign("bad value for"), sign("arguments are not implemented"), sign("illegal value", r"specified for \w+ flag"), sign("unknown command line flag"), sign("failed to read text proto"),
        ),
    ),
    Failure(
        "argument_hint", "INVALID_ARGUMENT", SPECIFIC + 4, 0.74,
        "The server most likely refuses one of its settings.",
        "Correct or remove the setting that is named.",
        (
            sign("is not compatible with", r"(?:--|argument|option|flag|mode|enable)", r"INFO|WARN|vLLM|Transformers"), sign("incompatible", r"(?:options?|arguments?|flags?|settings?)"), sign("failed to parse", r"failed to parse model config"), sign("error: invalid ", r"ValueError: Invalid (?:\w+ ){1,4}(?:type|mode|name|value|option|choice): ?\S"), sign("conflicting", r"(?:options?|arguments?|flags?|settings?|config)"), sign("only one of"), sign("specul", r"specul\w* .{0,80}(?:not (?:yet )?supported|must|cannot|only supports?|only supported|is not enabled|requires?)|no speculator model", r"INFO|WARN"), sign("medusa", r"not enabled|not supported"), sign("tcp://", r"VLLM_PORT|invalid literal for int|PORT.{0,40}error"), sign("invalid literal for int()"), sign("invalid literal for float"), sign("could not convert string to"), sign("invalid json", r"argument|--|config"), sign("numberformatexception"), sign("not properly formatted"), sign("please set", r"(?:environment variable|\benv\b|--\w|\w+=)", r"INFO|WARN|CUDA_HOME"), sign("must be set", r"(?:(?-i:\b[A-Z_]{4,}\b) must|HF_MODEL_ID|environment|env|--\w|argument)", r"INFO"), sign("hf_model_id", r"must|not set|required|unset|missing"), sign("is not a valid", r"(?:argument|option|value|choice|backend|\w+Enum|dtype|port)"), sign("unsupported", r"unsupported (?:argument|option|value|dtype|data type|parameter|load.?format|engine|rolling.?batch)"), sign("invalid configuration"), sign("must be greater than 0"), sign("must be a positive"), sign("must be in the range"),
        ),
        needs_error=True,
    ),
    Failure(
        # pydantic's line for one field: what it says decides, and the field's name stands on the line before.
        "setting_refused", "INVALID_ARGUMENT", SPECIFIC - 9, 0.7,
        "The server refuses one of its settings.",
        "Correct the setting that is named; an unknown SM_VLLM_* or SM_SGLANG_* name becomes an unknown flag.",
        (sign("value error,"), sign("assertion failed,"), sign("[type=", r"\[type=[a-z_]+, input_value=")),
        decide=setting_refused,
    ),
    Failure(
        # Triton's own word for a model's configuration it refuses, and for its command line (core's status.cc).
        "configuration_refused", "INVALID_ARGUMENT", SPECIFIC - 9, 0.72,
        "Triton refuses the model's configuration.",
        "Correct what is named in the model's config.pbtxt.",
        (
            sign("poll failed for model directory"), sign("unavailable: invalid argument: ", r"\| UNAVAILABLE: Invalid argument: \S"), sign("invalid argument", r"(?:failed to load '\S+' version \d+|creating server): Invalid argument(?::| -) \S"),
            sign("in ensemble", r"\b[Ii]nvalid argument: in ensemble"),
        ),
        decide=setting_refused,
    ),
    Failure(
        # pydantic's first line only counts: any error in a check of the settings is wrapped in it.
        "settings_refused", "INVALID_ARGUMENT", WEAK + 1, 0.7,
        "The server refuses its settings.",
        "Correct the setting that is named; an unknown SM_VLLM_* or SM_SGLANG_* name becomes an unknown flag.",
        (sign("validation error for", r"\d+ validation errors? for"), sign("validationerror:")),
    ),
    Failure(
        # A source file that Python cannot read was broken when the image was built, or is newer than its Python.
        "source_broken", "BAD_CONTAINER", SPECIFIC - 3, 0.7,
        "Python cannot read a source file of the server.",
        "Use the server's own image, or mend the file that is named.",
        (sign("indentationerror:"), sign("taberror:"), sign("syntaxerror:", r"(?<![a-z])SyntaxError: ")),
        decide=whose_source,
    ),
    Failure(
        "option_refused", "INVALID_ARGUMENT", WEAK + 4, 0.68,
        "The server refuses an option it was given.",
        "Correct the option that is named, or leave it out.",
        (sign("illegalargumentexception: "), sign("--", r"(?:Value|Type|Assertion|Runtime)Error\b.{0,160}?[`' ]--[a-z][\w-]+", r"Dockerfile|pip install|out of memory|memory to handle|mem-fraction|gpu-memory"),),
    ),
    Failure(
        "forked_after_cuda", "CRASH_UNKNOWN", SPECIFIC - 1, 0.74,
        "CUDA was in use before the worker processes were forked.",
        "Start them anew (VLLM_WORKER_MULTIPROC_METHOD=spawn), and touch no GPU before the engine starts.",
        (sign("in forked subprocess", r"re-initialize"),),
    ),
    Failure(
        "port_in_use", "INVALID_ARGUMENT", WEAK, 0.6,
        "A port the server wants is taken.",
        "Let the server listen on its default port; two servers in one container need two ports.",
        (sign("address already in use"), sign("eaddrinuse")),
    ),
    Failure(
        "address_of_another", "INVALID_ARGUMENT", WEAK, 0.6,
        "The server is told to listen on an address that is not this machine's.",
        "Leave the host's address to the server (VLLM_HOST_IP, --dist-init-addr), or name this machine's own.",
        (sign("cannot assign requested address", r"ZMQError|bind"),),
    ),
    Failure(
        "not_ready_in_time", "STARTUP_TIMEOUT", WEAK + 3, 0.78,
        "The server was not ready when its time was up.",
        "Give it a longer start-up window.",
        (
            sign("java.util.concurrent.timeoutexception"), sign("startup probe failed"), sign("failed startup probe"), sign("failed liveness probe"), sign("liveness probe failed"), sign("readiness probe failed"),
            sign("startup time out"), sign("failed to initialize within"), sign("timed out waiting", r"engine|server|model|ready|start|worker|shard|health", r"clients|NCCL|rank"), sign("did not receive response from front-end"), sign("worker did not respond in given time"), sign("did not become ready"), sign("not ready within"), sign("was not ready"), sign("keyboardinterrupt: terminated"), sign("failed to start within"), sign("failed to become ready"), sign("failed to become healthy"), sign("did not start in time"), sign("timeout waiting for", r"engine|server|model|ready|start|worker|shard|health"), sign("timed out", r"(?:start-?up|health.?check|model load\w*|loading (?:the )?model|waiting for (?:the )?(?:server|engine|model)).{0,80}timed out|timed out.{0,60}(?:start-?up|loading|health check|to start|ready)", r"NCCL|rank"), sign("exceeded its progress deadline"), sign("deadline exceeded", r"progress|start|ready|context"), sign("model loading timeout", r"exceeded|error|reached|after \d"), sign("load model timeout"), sign("startup timeout"), sign("warmup timeout"), sign("watchdog timeout"), sign("timeouterror", r"(?:engine|server|ready|start|load|shard|health)"), sign("took too long", None), sign("predictor", r"time(?:d )?out.{0,40}(?:load|start|init)"), sign("worker timeout", r"pid|critical"),
        ),
        at_any_level=False,
    ),
    Failure(
        "crash_without_cause", "CRASH_UNKNOWN", SYMPTOM + 5, 0.7,
        "The server crashed, and the log does not say why.",
        "Read the lines quoted, and the lines before them in the full log.",
        (
            # Any exception, by the spelling Python's own have and libraries follow.
            sign("error: ", r"(?-i:(?:^|[\s.\]])[A-Z]\w*[a-z](?:Error|Exception): \S)"),
            # Rust's way to end, and what Text Embeddings Inference says of a backend.
            sign("error: ", r"^(?-i:Error): .{0,200}(?:not supported|does not|must be|not found|not set)"), sign("could not start backend: "),
            sign("segmentation fault"), sign("core dumped"), sign("signal 4", r"signal 4\b"), sign("signal 11"), sign("signal 6"), sign("sigabrt"), sign("sigsegv", None, r"avoid"), sign("fatal python error"), sign("panicked at"), sign("illegal memory access"), sign("device-side assert"), sign("assertionerror"), sign("illegal instruction"), sign("internal assert failed"), sign("cuda driver error:"), sign("indentationerror"), sign("terminate called after"), sign("zmqerror"), sign("runtimeerror:"), sign("notimplementederror"), sign("valueerror:"), sign("typeerror:"), sign("attributeerror:"), sign("keyerror:"), sign("indexerror:"), sign("unboundlocalerror:"), sign("nameerror:"), sign("oserror:"), sign("filenotfounderror:"), sign("permissionerror:"), sign("syntaxerror:"), sign("exception:", r"\w*Exception: \S", r"initialization failed due to|Task exception|exception: Traceback"), sign("cuda error:"), sign("systemexit: 1"), sign("eoferror"), sign("brokenpipeerror"), sign("connectionerror"), sign("assertion failed"), sign("error when creating modelinstancestate:"), sign("assertion `"), sign("cudnn_status"), sign("cublas_status"), sign("llm engine", r"error|dead|failed", r"INFO"), sign("timeouterror", None), sign("recursionerror"), sign("unicodedecodeerror"), sign("stopiteration"), sign("notadirectoryerror"), sign("runtimeerror "), sign("internalerror"), sign("abort(3)"), sign("zerodivisionerror"),
        ),
    ),
    Failure(
        # TorchServe and MMS report a dead worker as a warning.
        "worker_died", "CRASH_UNKNOWN", SYMPTOM, 0.6,
        "The server's worker died; the reason is not in the log.",
        "The reason stands in the worker's own lines (MODEL_LOG, stdout, stderr): look further up in the full log.",
        (sign("load model failed"), sign("worker died")),
        at_any_level=True,
    ),
    Failure(
        "wrapper", "CRASH_UNKNOWN", SYMPTOM, 0.6,
        "The server reports that it failed; the reason is not in the log.",
        "The reason stands in lines that are missing here: look further up in the full log.",
        (
            sign("shardcannotstart"), sign("| unavailable: "), sign('"exitcode":', r'"exitCode": ?[1-9]'), sign(".mar already exists"), sign("listener timed out in"), sign("failed register workflow"), sign("error: creating server:"), sign("sharddisconnected"), sign("error: shardfailed"), sign("could not create backend"), sign("could not start a suitable backend"), sign("model backend is not healthy"), sign("could not download model artifacts"), sign("server was unsuccessfully started"), sign("error when initializing model"), sign("scheduler is dead"), sign("exit code:", r"exit code: -?[1-9]"), sign("exception in worker"), sign("died, exit code", r"exit code: -?[1-9]"), sign("died unexpectedly"), sign("unexpectedly failed"), sign("exited unexpectedly"), sign("terminated unexpectedly"), sign("webserverfailed"), sign("shard", r"Shard (?:\d+ )?failed to start"), sign("engine core initialization failed"), sign("engine process failed to start"), sign("enginecore failed to start"), sign("workerproc initialization failed"), sign("application startup failed"), sign("failed to load all models"), sign("model server exited unexpectedly"), sign("received sigquit from a child"), sign("scheduler hit an exception"), sign("hit an exception"), sign("got fatal signal from worker"), sign("rpcserver process died"), sign("background loop has errored"), sign("failed to load model", None), sign("backend worker process die"), sign("worker disconnected"), sign("initialization failed", None, r"init ok"), sign("exited with code", r"code [1-9]"), sign("exit status 1"), sign("exit code 1", r"exit code 1\b"), sign("exited with", r"non-zero|status [1-9]"), sign("startup failed"), sign("failed to start", None, r"INFO|WARN"), sign("engine dead"), sign("enginedeaderror"), sign("unable to load model", None), sign("model couldn't be loaded"), sign("stopping worker", r"error|die"),
        ),
    ),
)  # fmt: skip
