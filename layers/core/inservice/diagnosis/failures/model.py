"""Failures of a model that a server does not know, cannot quantise, split, tokenise or import."""

# ruff: noqa: E501 - the signs are data: a table whose rows would only get harder to read if wrapped.

from __future__ import annotations

from inservice.diagnosis.failures.decisions import reason_of_silence, whose_sizes, why_not_registered
from inservice.diagnosis.failures.failure import ROOT, SPECIFIC, WEAK, Failure, sign
from inservice.diagnosis.failures.platform import KERNELS

# Pages, chunks, groups and draft tokens are divided too, by settings of their own and not by GPUs.
_OTHER_DIVISIONS = r"n_predict|specul|page_size|block_size|chunk|bit width|head_dim|head_size|topk|embed_dim|by `?(?:num_|kv |mamba_n_)\w*heads|max_bs|by the other|element size|mamba_intermediate_size \(\d+\) must be divisible by mamba"
# Quantised weights come in groups and kernels in tiles: whether a size fits them depends on the number of GPUs or not.
_BLOCKS = r"group.?size|block_[nmk]\b|mx(?:fp|_)\w*|nvfp4|pack(?:ed)?_factor|min_thread|min_[nk]_threads|quantization block|w4a|wna16|(?<!is not )divisible by (?:64|128|256)\b(?! )"

_QUANTISATIONS = r"(?:quant|awq|gptq|marlin|fp8|fp4|bitsandbytes|compressedtensors|modelopt|gguf)\w*"

MODEL_FAILURES: tuple[Failure, ...] = (
    Failure(
        "unknown_architecture", "UNSUPPORTED_ARCHITECTURE", ROOT - 5, 0.95,
        "This server version does not know the model's architecture.",
        "Use a server version that supports the model.",
        (
            sign("does not recognize this architecture"), sign("are not supported for now"),
            sign("has no vllm implementation"), sign("has no sglang implementation"), sign("no vllm implementation"),
            sign("transformers implementation is not compatible"), sign("not compatible with", r"not compatible with (?:vllm|sglang)\b"),
            sign("unsupported model type"), sign("unsupported architecture", None, KERNELS), sign("unsupported model ir"),
            sign("model type", r"model type \S{1,60} (?:is )?(?:not (?:currently )?supported|unsupported|unknown)"),
            sign("model_type", r"model_type \S{1,60} (?:is )?not supported|(?:unknown|unsupported) (?:\w+ )?model_type"),
            sign("architecture", r"architectures? \S{1,80} (?:is|are) not (?:yet )?supported|(?:unknown|unrecognized) (?:model )?architecture|architecture \S{1,60} not supported"),
            sign("unrecognized configuration class"), sign("rope_scaling` must be a dictionary"), sign("rope_scaling", r"Error\b.{0,200}(?:must be|should have|missing required keys|unknown)|KeyError"),
            sign("unknown rope scaling type"), sign("rope scaling", r"not implemented|unknown|not supported", r"INFO|WARN"), sign("unknown rope"), sign("rope type", r"unknown|unsupported|not supported"),
            sign("config' object has no attribute", None, rf"{_QUANTISATIONS}config' object"), sign("config_mapping[", r"KeyError"),
            sign("there is no module or parameter named"), sign("was only supported", r"vllm until|removed"), sign("previously supported in vllm until"),
            sign("sharded is not supported for automodel"), sign("not supported for automodel"),
            sign("cannot find model module"),
            sign("no model architectures are specified"), sign("could not find model class"),
        ),
        decide=why_not_registered,
    ),
    Failure(
        "architecture_hint", "UNSUPPORTED_ARCHITECTURE", SPECIFIC + 6, 0.74,
        "The server most likely does not know this model as it is configured.",
        "Use a server version that supports the model.",
        (
            sign("no longer supported", r"model|architecture"), sign("no suitable kernel", r"h_in=\d"), sign("not implemented", r"model (?:type|class).{0,60}not implemented"), sign("config.architectures", r"error|none|missing"), sign("does not support", r"(?:ForCausalLM|ForConditionalGeneration)\S{0,4} does not support", r"\bLoRA\b|specul"), sign("is not supported", r"(?:ForCausalLM|ForConditionalGeneration|Model|LMHeadModel)\S{0,4}\]?'? (?:is|are) not supported|model \S{1,80} is not supported", r"draft model|\bLoRA\b|specul"),
            # The model asks an attention backend or a layer for what it does not have (vLLM's and SGLang's own refusals).
            sign("page size of the layer is not divisible"), sign("head size", r"head size \S+ is not supported"), sign("head_dim", r"supported for head_dim"), sign("activation", r"unsupported activation: |activation function \S+ is not supported"), sign("type of huggingface processor"),
        ),
        needs_error=True,
    ),
    Failure(
        "sizes_differ", "UNSUPPORTED_ARCHITECTURE", SPECIFIC + 6, 0.7,
        "The server most likely does not know this model as it is configured.",
        "Use a server version that supports the model.",
        (sign("must match the size of tensor b"),),
        decide=whose_sizes,
    ),
    Failure(
        "unknown_model_key", "UNSUPPORTED_ARCHITECTURE", SPECIFIC - 2, 0.8,
        "This server version lacks something the model's configuration asks for.",
        "Use a server version that supports the model.",
        (
            sign("keyerror", r"KeyError: '(?:qwen\w*|llama\w*|mistral\w*|mixtral|gemma\w*|phi\w*|deepseek\w*|gpt_oss|glm\w*|chatglm|mllama|cohere\w*|starcoder2|olmo\w*|internlm\w*|dbrx|exaone\w*|granite\w*|minicpm\w*|falcon\w*|jamba|mamba\w*|nemotron\w*|smollm\w*|step\w*|kimi\w*|ernie\w*|hunyuan\w*)'"),
            sign("unexpected keyword argument", r"(?:Config|ForCausalLM|ForConditionalGeneration|Attention|RotaryEmbedding)\S{0,30}\(\) got an unexpected keyword", r"\.forward\(\)"),
            # vLLM counts a hybrid's attention layers by lists its configuration must bring (config/model.py).
            sign("hybrid without a", r"layers_block_type|attn_type_list|layer_types"), sign("cannot determine the num of", r"layers?"), sign("couldn't determine number of kv heads"),
            sign("assert \"factor\" in rope_scaling"), sign("keyerror: 'type'"), sign("keyerror: 'rope_type'"), sign("keyerror: 'factor'"),
        ),
    ),
    Failure(
        "quantisation_mismatch", "QUANTIZATION_ERROR", ROOT - 4, 0.94,
        "The quantisation asked for and the checkpoint (or the server) do not match.",
        "Leave quantization out for a pre-quantised checkpoint, or name the one it was made with; see that the server supports it.",
        (
            sign("keyerror", r"KeyError: '[^']{0,200}(?:qweight|qzeros|g_idx|absmax|quant_map|quant_state|input_scale|weight_scale|[kqv]_scale|weight_offset|output_scale|\.scales|\.rows|bitsandbytes|scale_inv|weight_packed)[^']{0,60}'"),
            sign("does not exist", r"weight \S*(?:qweight|qzeros|g_idx|scales|gptq_bits|gptq_groupsize) does not exist"),
            sign("quantization method", r"quantization method.{0,160}(?:does not match|is not supported|not supported|unknown|invalid)|(?:unknown|invalid|unsupported) quantization method", r"current GPU|Minimum capability|compute capability"),
            sign("not supported for quantization method"), sign("config' object has no attribute", rf"{_QUANTISATIONS}config' object"), sign("supported dtypes:", r"quantiz"),
            sign("cannot find the config file for"), sign("quantize_config.json", r"error|not found|no such|cannot"),
            sign("does not support", r"does not support (?:\S+ ){0,2}(?:bitsandbytes|bnb|awq|gptq|marlin|\w*quantiz)\w*", r"kv.?cache|current platform|this device"), sign("quant algo", r"unknown|unsupported|not supported|missing"), sign("quantized weight shape", None, r"too large tensor parallel"),
            sign("make sure the model is already quantized"), sign("weight is not `", r"is not `\w+` compatible"),
            sign("unknown quantization"), sign("unsupported quantization"), sign("unrecognized quantization"), sign("invalid quantization"),
            sign("quantization", r"quantization \S{1,40} is not (?:currently )?supported|not supported.{0,60}quantization|quantization.{0,60}not (?:yet )?(?:supported|implemented)", r"GPU|capability|INFO"),
            sign("bitsandbytes", r"bitsandbytes.{0,80}(?:not supported|only supports|is not compatible|does not support|conflict)", r"install"),
            sign("quantization", r"only supports? .{0,40}quantization|but got \w+ quantization", r"GPU|INFO"), sign("quant method", r"unknown|unsupported|not supported"), sign("quant_method", r"unknown|unsupported|not supported|KeyError|must", r"warmup"),
            sign("fp8", r"fp8.{0,80}(?:only supported on|checkpoint.{0,40}(?:mismatch|expected))", r"fp8e4nv|capability"),
            sign("object has no attribute 'weight'", r"Linear' object"), sign("unable to find quantization config"), sign("missing quantization config"),
        ),
    ),
    Failure(
        "quantisation_hint", "QUANTIZATION_ERROR", SPECIFIC + 7, 0.76,
        "The server most likely cannot read these quantised weights.",
        "Leave quantization out for a pre-quantised checkpoint, or name the one it was made with; see that the server supports it.",
        (
            sign("quant_config", r"error|none|missing|not found", r"https?://"), sign("compatible scheme was found"), sign("invalid thread config", r"num_bits|thread_[kn]"), sign("can implement the", r"linear layer"), sign("bit weight quantization", r"only|but got"), sign("marlin24"), sign("gptq", r"(?<![/-])\bgptq(?!\S*/).{0,100}(?:not supported|cannot|failed|not implemented|only supports)", r"current GPU|Minimum capability"), sign("awq", r"(?<![/-])\bawq\b(?!\S*/).{0,100}(?:not supported|cannot|failed|not implemented|only supports)", r"current GPU|Minimum capability"), sign("marlin", r"marlin.{0,100}(?:not supported|cannot|unsupported|incompatib|failed)", r"INFO|capability"), sign("weight_bits", r"only|not supported|must"), sign("torch_dtype", r"awq|gptq.{0,60}float16"), sign("gguf", r"(?<![/.-])\bgguf(?!\S*/).{0,80}(?:not supported|unsupported|unknown)"), sign("quantiz", r"failed to (?:de)?quantize|quantized? (?:model|weights?|checkpoint).{0,80}(?:mismatch|incompatib|unsupported|only supported)"), sign("group_size", r"group_size.{0,80}(?:not supported|must be|divisible|unsupported)"), sign("divisible by", rf"hidden.?size.{{0,120}}divisible by.{{0,40}}(?:{_BLOCKS})|(?:mx\w+|nvfp4|wna16).{{0,120}}hidden.{{0,60}}divisible by"),
        ),
        needs_error=True,
    ),
    Failure(
        "does_not_divide", "SHARDING_ERROR", ROOT - 3, 0.94,
        "The model cannot be split over this number of GPUs.",
        "Use a number of GPUs that divides the attention heads (and the quantisation groups).",
        (
            sign("divisible by", r"(?:attention|heads?|vocab|hidden|tensor.?parallel|world.?size|num_shards?|partition|tp_size|experts?|intermediate|input_size|output).{0,160}(?:not |must be |be |isn't )?divisible by|divisible by.{0,60}(?:tensor|tp|world|num_shard|shards|parallel)", rf"{_OTHER_DIVISIONS}|{_BLOCKS}"),
            # The bare figures are what vLLM's ensure_divisibility prints.
            sign("is not divisible by", r"\d+ is not divisible by \d+(?:\s|$)|(?:heads?|vocab\w*|hidden|intermediate|experts?|partition|parallel|rank|shard|\btp|output|input|weight)\S*.{0,120}is not divisible by", rf"{_OTHER_DIVISIONS}|{_BLOCKS}"),
            sign("must be divisible", r"(?:heads?|vocab\w*|\w*(?:hidden|intermediate|vocab|world|tp|input|output|parallel)_size|hidden|intermediate|experts?|partition|parallel|rank|shards?|\btp|world)\b.{0,120}must be divisible|must be divisible.{0,60}(?:parallel|\btp|world|shards?|nodes)", rf"{_OTHER_DIVISIONS}|{_BLOCKS}"),
            # SGLang's words for a quantised mixture of experts.
            sign("please make sure", r"make sure .{0,120}%\s?\w+(?:=\d+)? ?== ?0"),
            sign("world size must divide"), sign("not compatible with sharding"),
            sign("not aligned with the quantized weight shape"), sign("too large tensor parallel"),
            sign("notenoughcudadevices"), sign("only found", r"sharded|shards?|cuda devices"),
            sign("number of required gpus exceeds"),
            sign("max local gpu count"), sign("not enough gpus"),
            sign("invalid device ordinal"), sign("invalid device id"),
            # TensorRT-LLM's assertion, and the servers' own, which print nothing but the source line.
            sign("mpisize == tp"), sign("mpi size", r"MPI size \(\d+\) !="), sign("each process is one gpu"), sign("assert ", r"assert .{0,90}%\s*\(?(?:self\.)?(?:\w*(?:tp_size|world_size|tp_degree|num_shards?|attn_tp|\btp)\b|process_group\.size|weights\.process_group|get_tensor_model_parallel)|assert (?:self\.)?\w*(?:tp_size|world_size) % \S*heads"),
            sign("unique ip address", r"should have a unique"), sign("does not allocate any gpus on the driver"),
        ),
    ),
    Failure(
        # A GPU's part of a quantised weight does not fill the groups: fewer GPUs help, or another checkpoint.
        "part_fills_no_group", "SHARDING_ERROR", ROOT - 3, 0.76,
        "A GPU's part of the quantised weights does not fill their groups.",
        "Use a number of GPUs that divides the quantisation groups.",
        (
            sign("divisible by", rf"(?=.*(?:{_BLOCKS}))(?:partition|per.rank|tensor.?parallel|\btp\b|tp_size|(?:in|out)put_size|intermediate.?size).{{0,160}}divisible by"),
            # The same figure without a word of what it belongs to, as SGLang and vLLM check an expert's width.
            sign("divisible by", r"^(?!.*(?:head|chunk|page)).*(?:(?:in|out)put|intermediate)[_ ]?\w*.{0,60}divisible by (?:16|32|64|128|256)\b"),
        ),
    ),
    Failure(
        # Settings of parallelism, with a word of refusal near.
        "devices_hint", "SHARDING_ERROR", ROOT - 3, 0.78,
        "The model most likely cannot be split over this number of GPUs.",
        "Use a number of GPUs that divides the attention heads (and the quantisation groups).",
        (
            sign("world size", r"world size.{0,100}(?:larger|greater|exceeds|more than|not equal|mismatch|does not match)"), sign("for single-gpu models"), sign("gpus are available, but"), sign("no enough gpu devices"), sign("tensor_parallel", r"adjusting tensor_parallel_size|tensor_parallel\w*.{0,80}(?:larger|greater|exceeds|more than|cannot be|should be|must be|not supported)", r"EPLB|draft"), sign("tensor parallel size", r"(?:larger|greater|exceeds|more than|cannot be|must be|should)"),
            sign("tp_size", r"(?:larger|greater|exceeds|more than|must|not supported|divis)"), sign("num_shard", r"cannot be|higher|greater|exceed|must"), sign("gpus available", r"(?:requires?|needs?|requested|but only|only)"), sign("placement group", r"(?:can't|cannot|could not|unable|error|waiting|exceed|more than|infeasible)", r"INFO"), sign("local rank", r"out of bounds"),
            sign("number of visible devices"), sign("available gpus", r"match"), sign("slots available", r"not enough slots"), sign("neuroncore(s) not available"), sign("nvshmem", r"initialization failed|setup connections failed|non-zero status"),
        ),
        needs_error=True,
    ),
    Failure(
        "split_refused", "SHARDING_ERROR", SPECIFIC + 8, 0.78,
        "The model or the server cannot be split in this way.",
        "Use tensor parallelism alone, or a number of GPUs the model can be split over.",
        (
            sign("pipeline parallel", r"not supported|must|cannot", r"--\w|PP_SPEC"), sign("expert parallel", r"not supported|must|cannot"), sign("num_hidden_layers", r"sum\(partitions\)"), sign("current node has no", r"available"),
            # A rank other than the first takes a part that is not there: Tensor.narrow in the servers' weight loaders.
            sign("exceeds dimension size", r"start \([1-9]\d*\) \+ length"), sign("in ray cluster", r"no \S+ found|no nodes"), sign("not enough resources to allocate"),
        ),
        needs_error=True,
    ),
    Failure(
        "gpus_do_not_talk", "SHARDING_ERROR", SPECIFIC, 0.9,
        "The GPUs or worker processes could not talk to each other.",
        "Check shared memory, NCCL and peer-to-peer settings; one GPU avoids it where the model fits.",
        (
            sign("ncclsystemerror"), sign("ncclremoteerror"),
            sign("distnetworkerror"), sign("diststoreerror"), sign("/dev/shm", r"nccl|no space|shared memory|bus error"),
            sign("batch testing peer-to-peer access"), sign("custom_all_reduce", r"\.cuh?:\d+|error|invalid|failed", r"WARNING|INFO|^\s*File|cannot import name"), sign("cudart error"),
            sign("connectfullmesh failed"), sign("mismatch between collectives"), sign("socket.cpp", r"failed to connect to .{0,80}errno: (?!-3)", r"\[W\d"), sign("gloo", r"(?:connect|timed? ?out|failed|closed)", r"is connected to \d+ peer"), sign("watchdog caught collective operation timeout"), sign("collective operation timeout"),
            sign("timed out initializing process group"), sign("timed out after", r"clients joined|rank|store|barrier"), sign("clients joined"), sign("init_process_group", r"error|timeout|timed"),
            sign("peer access is not supported"), sign("peer access", r"error|failed|unsupported"), sign("p2p", r"cuda error|failed: |p2p access error", r"WARNING|INFO|test failed"),
        ),
    ),
    Failure(
        # NCCL's own words are few, and a kernel that failed before is reported by whoever asks the GPU next.
        "nccl_failed", "SHARDING_ERROR", SPECIFIC - 2, 0.7,
        "The GPUs' communication failed; NCCL does not say why.",
        "Run with NCCL_DEBUG=INFO and read the lines before; check shared memory and peer-to-peer settings.",
        (sign("nvshmem setup connections failed"), sign("nvshmem_", r"init failed(?!, continuing)"), sign("address family not supported", r"Error: .{0,80}Address family"), sign("nccl error"), sign("ncclunhandled"), sign("ncclinternalerror"), sign("ncclinvalid"), sign("distbackenderror"), sign("unhandled cuda error", r"nccl")),
        decide=reason_of_silence,
    ),
    Failure(
        "workers_lost", "SHARDING_ERROR", SPECIFIC - 1, 0.74,
        "Worker processes were lost; most likely they could not talk to each other.",
        "Look at the lost worker's own log; check shared memory, NCCL and peer-to-peer settings, and the host's memory.",
        (
            sign("unable to initialize shared memory key"), sign("could not find any running ray instance"), sign("worker ports", r"timeout"), sign("ray", r"ray(?:\.exceptions)?.{0,40}(?:raylet died|ConnectionError)"), sign("shared memory", r"bus error|insufficient shared memory|shm_broadcast.{0,80}(?:error|timeout)", r"out of resource"), sign("bus error", None), sign("libfabric", r"error|failed"), sign("efa", r"\befa\b.{0,40}(?:error|failed)"), sign("nvls", r"error|failed"),
        ),
    ),
    Failure(
        "tokenizer", "TOKENIZER_ERROR", ROOT - 6, 0.92,
        "The tokenizer cannot be loaded.",
        "Use a server version whose tokenizers library can read the files, or add the missing tokenizer files.",
        (
            sign("untagged enum"), sign("can't load tokenizer for"), sign("couldn't instantiate the backend tokenizer"),
            sign("tokenizer class", r"does not exist|not currently imported|not found|unknown"), sign("unable to load vocabulary"),
            sign("tokenizer' object has no attribute"), sign("has no attribute", r"\b\w+Tokenizer(?:Fast)? has no attribute"), sign("tokenizerfast' object has no attribute"), sign("failed to load tokenizer"), sign("failed to load the tokenizer", None, r"trust_remote_code"), sign("error loading tokenizer"), sign("cannot load tokenizer"), sign("could not load tokenizer"),
            sign("tokenizer", r"tokenizer\S{0,40}(?:\.json|\.model|_config).{0,100}(?:not found|no such file|does not exist|missing|invalid|could not)|(?:no such file|not found|missing|could not).{0,120}tokenizer\S{0,20}\.(?:json|model)", r"INFO|WARN|No tokenizer"),
            sign("prepend_scheme"), sign("have a tokenizer", r"(?:n't| not) have a tokenizer"),
            sign("sentencepiece", r"(?:parsing|internal|sentencepiece_processor\.cc).{0,60}"), sign("tokenizers", r"tokenizers\S{0,20}(?:\.\w+)?.{0,20}(?:expected value|parse error|panicked)"),
            sign("no fast tokenizer"), sign("harmonyerror"), sign("error loading vocab"),
        ),
    ),
    Failure(
        "tokenizer_hint", "TOKENIZER_ERROR", SPECIFIC + 5, 0.76,
        "The tokenizer most likely cannot be loaded.",
        "Use a server version whose tokenizers library can read the files, or add the missing tokenizer files.",
        (
            sign("tokenizer", r"tokenizer.{0,80}(?:mismatch|is not supported|not recognized|is not valid|failed to parse|unsupported)|unrecognized tokenizer|unknown tokenizer", r"INFO|WARN"), sign("chat template", r"(?:error|invalid|failed|cannot|does not|none).{0,80}chat template|chat template.{0,60}(?:not found|invalid|error|does not exist|failed)", r"INFO|WARN"), sign("chat_template", r"TemplateError|TemplateSyntaxError|invalid"), sign("tiktoken", r"error|failed|invalid"), sign("slow tokenizer", r"cannot|required|error"), sign("vocab_size", r"vocab_size.{0,60}(?:mismatch|does not match)"),
        ),
        needs_error=True,
    ),
    Failure(
        "import_fails", "MISSING_DEPENDENCY", SPECIFIC - 1, 0.88,
        "A library the server or the model's own code needs is missing or has the wrong version.",
        "Use an image that contains it, in the version the model's code expects.",
        (
            sign("no module named"), sign("is already used by a transformers config"), sign("operator ", r"operator \w+::\w+ does not exist"), sign("unable to evaluate type annotation"), sign("cannot import name"), sign("cannot open shared object file"), sign("undefined symbol"), sign("dll load failed"),
            sign("failed to be inspected"), sign("requires the following packages that were not found"),
            sign("library but it was not found"), sign("packagenotfounderror"), sign("versionconflict"), sign("distributionnotfound"),
            sign("requires bitsandbytes"), sign("please use torchao"), sign("module was not found"), sign("packages are installed"), sign("common_ops library"), sign("importerror:", None, r"capability|GPU|CUDA is not available|is not supported now"), sign("modulenotfounderror"), sign("glibc", r"version `?GLIBC\S* not found"), sign("glibcxx"), sign("no matching distribution found"), sign("unable to find 'libtriton_"),
            sign("_opnamespace"),
            sign("numpy.dtype size changed"), sign("compiled using numpy 1.x"),
        ),
    ),
    Failure(
        # Advice to install something also stands in starts that do well without it.
        "install_advised", "MISSING_DEPENDENCY", SPECIFIC - 1, 0.77,
        "A library the server or the model's own code needs is most likely missing or has the wrong version.",
        "Use an image that contains it, in the version the model's code expects.",
        (
            sign("unable to find backend library", None, r"'\$\{"), sign("unable to find '", r"find '\S+' for model '\S+', in /opt/tritonserver/backends"), sign("unexpected keyword argument", r"backends/vllm/model\.py"), sign("to libstreamer", r"S3 not supported"), sign("package installation failed"), sign("kernels not found", r"install"), sign("runtimeenvsetuperror"),
            sign("pip install", r"(?:please|run|with|via|try|need|required?|install).{0,60}pip install|pip install", r"INFO|WARN|upgrade pip|notice|Running command"),
            sign("please install", None, r"INFO|WARN|for better|best performance|pynvml"), sign("is not installed", None, r"INFO|WARN"), sign("are not installed", None, r"INFO|WARN"),
            sign("to be installed", r"requires"), sign("should be installed", r"at least one of"),
            sign("is required for", r"(?:Error|Exception).{0,80}is required for|(?:version|>=|==|package|library)\b.{0,60}is required for", r"float16|dtype|\bGPUs?\b|cuda|\wConfig\b"),
            sign("could not import", r"flash|kernel|module|vllm|exllama", r"Mamba"),
            sign("is required but found", None), sign("but found", r"is required for a normal functioning|required.{0,40}but found"), sign("requires transformers", r">=|version|=="),
            sign("has no attribute", r"module '[\w.]+' has no attribute|partially initialized module", r"TritonPythonModel"),
            sign("can't pickle"), sign("cannot pickle"), sign("picklingerror"),
        ),
        needs_error=True,
    ),
    Failure(
        # pip says why on lines of its own; a network it cannot reach it only warns of.
        "packages_not_installed", "MISSING_DEPENDENCY", WEAK - 10, 0.86,
        "The packages of requirements.txt cannot be installed.",
        "Ask for versions that exist and go together; without a route to the internet, bring the packages in the image.",
        (sign("no matching distribution found"), sign("could not find a version that satisfies"), sign("resolutionimpossible"), sign("failed to install required packages")),
    ),
    Failure(
        # The sentence around whatever each of the model's classes failed with.
        "model_not_loaded", "UNSUPPORTED_ARCHITECTURE", WEAK, 0.62,
        "None of the model's classes could load it.",
        "Use a version that supports the model, and see that its folder is complete.",
        (sign("with any of the following classes"), sign("missing field `", r"missing field `(?:model_type|architectures|max_position_embeddings|hidden_size|vocab_size|num_\w+|intermediate_size)` at line")),
    ),
    Failure(
        # The router asks the hub for the tokenizer once more, so a network that failed stands before this.
        "tokenizer_not_loaded", "TOKENIZER_ERROR", WEAK + 1, 0.74,
        "The router cannot load the tokenizer.",
        "Use a server version whose tokenizers library can read the files, or add the missing tokenizer files.",
        (sign("cannot load a tokenizer"), sign("failed to retrieve tokenizer")),
    ),
    Failure(
        "remote_code", "INVALID_ARGUMENT", ROOT - 4, 0.84,
        "The model brings its own code, and the server was not allowed to run it.",
        "Allow it after reading it (TRUST_REMOTE_CODE in the server's own spelling), or choose a version that knows the model natively.",
        (sign("trust_remote_code", r"set the option|requires you to execute|please pass|must be|need|consider setting|trust_remote_code=True`? to", r"INFO|args|Namespace|ServerArgs|trust_remote_code=(?:True|False),"), sign("contains custom code which must be executed")),
    ),
)  # fmt: skip
