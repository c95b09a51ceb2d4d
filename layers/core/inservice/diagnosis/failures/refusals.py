"""What an exception refuses: its words speak for a cause although no known failure has just this wording."""

# ruff: noqa: E501 - the subjects are data: a table whose rows would only get harder to read if wrapped.

from __future__ import annotations

import re

from inservice.contracts import Cause

# Kinds that servers raise to refuse something; a TypeError or an AttributeError is a defect, whatever it says.
_KINDS = re.compile(
    r"(?:Value|NotImplemented|Assertion|Runtime|Import|Environment|OS|Validation|ArgumentType|Value )Error\b|value error,|Exception: |^(?-i:Error): |Could not start backend: |"
    # Triton's status codes, and TensorRT-LLM's checks, which are made of words where they speak to people.
    r"Invalid argument(?::| -) |Poll failed for model directory '[^']*': |\[ERROR\] Assertion failed: |creating modelInstanceState: ",
    re.IGNORECASE,
)
_REFUSES = (
    r"\bnot (?:yet |currently |be |been )*(?:supported|support|implemented|allowed|valid|validated|compatible|available|applicable|recogni[sz]ed|enabled|handled|permitted)\b|n't support|no longer (?:supported|available|allowed)\b|cannot be\b|can't be\b|can only be\b|unsupported|prohibited|not supposed to|"
    r"\bunknown\b|unrecogni[sz]ed|\binvalid\b|incompatible|conflicts?\b|only (?:\w+ )?(?:supports?|implements?|handles?)\b|support only|only (?:\S+ ){0,4}(?:is|are) (?:currently )?supported|supported only|only supported|(?:supports?|handles?) (?:\S+ ){0,3}only\b|only (?:\d+ )?can\b|only available|"
    r"world.?size|\bshard"
)
_ASKS = (
    r"\bmust\b|should (?:be|have|not)\b|\brequires?\b|\brequired\b|\bneeds?\b|(?:does not|doesn't) (?:match|contain)|mismatch|but (?:received|got)\b|not enough\b|\bnot set\b|(?:greater|larger|smaller|less) than|exceeds?\b|\bmissing\b|not found|"
    r"cannot (?:load|apply|find|use|determine)|unable to (?:find|load)|but no\b|(?:does not|do not) (?:currently )?(?:support|allow)|please (?:use|set|upgrade|install)"
)
_REFUSAL = re.compile(f"{_REFUSES}|{_ASKS}", re.IGNORECASE)
# An assertion that asks for something mostly guards the server's own bookkeeping; one that refuses speaks to people.
_ASSERTED = re.compile(
    rf"{_REFUSES}|(?<!\S)--[a-z]|must be (?:set|configured|specified|provided|given|enabled|disabled|used)\b",
    re.IGNORECASE,
)
# What is said of a device, a kernel or the values in it is no refusal of a setting.
_OF_THE_MACHINERY = re.compile(
    r"(?:CUDA|HIP|XPU|NPU|Triton|NCCL|cu[A-Z]\w+) (?:driver |runtime )?(?:error|failure)|INTERNAL ASSERT|CUBLAS_|CUDNN_|\btensors?\b(?![ _-]?(?:parallel|cores?\b))|\bshapes?\b|same device|scalar type|\bblocks? (?:type|found)|should not (?:happen|be called)|this is a bug|input of size",
    re.IGNORECASE,
)

# Settings that each work alone: whichever of them is named first, it is no fault of what it sets.
_DO_NOT_GO_TOGETHER = re.compile(
    r"(?:not compatible|incompatible|conflicts?) with\b.*(?:specul|schedul|chunked|\blora|prefix.?cach|cuda.?graph)|"
    # A model that cannot be computed in this type of numbers, by vLLM's own list (config/model.py).
    r"does not support (?:b?float(?:16|32)|half)\b",
    re.IGNORECASE,
)

# A name of something the server was told is looked for last: any refusal may mention one on its way.
_WORDS: tuple[tuple[Cause, str], ...] = (
    ("MISSING_DEPENDENCY", r"(?:requires?|needs?|use|install|upgrade|with) (?:\S+ ){0,3}?[\w.-]+ ?(?:(?:>=|==) ?v?\d+\.|version\b)|(?:module|package|library)\b.{0,60}(?:not found|not available|missing|not installed)|packages? (?:is|are) (?:not )?installed|upgrade your \w+ version|(?:upgrade|update|install) \S+ to (?:at least )?v?\d|toggled on, but"),
    ("UNSUPPORTED_GPU", r"on this (?:device|gpu|platform|hardware)\b|current (?:gpu|device)\b|compute cap(?:ability)?\b|\bCC ?[<>]|capability\b.{0,12}\d|\bSM ?\d{2,3}\b|\bsm_?\d{2,3}\b|\b(?:Hopper|Blackwell|Ampere|Volta|Turing)\b|GPUs? (?:and newer|or newer|is required|required)|(?:only|requires?) (?:\S+ ){0,4}(?:on |for |an? )?(?:CUDA|ROCm|NVIDIA|AMD|XPU|HIP|GPU)\b(?! graph| memory| inputs)|device type"),
    ("QUANTIZATION_ERROR", r"quantiz|\bquant(?:_|\b)|gptq|\bawq|marlin|bitsandbytes|\bbnb\b|\bfp8 (?:marlin|moe|linear|checkpoint|weight)|nvfp4|mx_?fp|\bint[48]\b|w[48]a(?:4|8|16)|wna16|\d-bit|activation scheme|moe scheme|compatible scheme|weight_block_size|\bgguf\b|\bexl2|eetq|compressed.tensors|torchao|modelopt|zero.points?|scaling factor|codebook|\bnum_bits\b|act.?order|\b(?:scale|zp)_dtype\b"),
    ("TOKENIZER_ERROR", r"tokenizers?\b(?!_mode)(?!.{0,20}init)|chat template|sentencepiece|tiktoken"),
    ("SHARDING_ERROR", r"tensor[ _-]?parallel|\btp[ _-]?(?:size|degree|world)?\b|world[ _-]?size|pipeline[ _-]?parallel|\bpp[ _-]?size|num_shards?\b|\bshards\b|(?<!cache-)(?<!kv )sharding|(?:number of|visible|available|enough) (?:gpus?|devices|ranks)|gpus per node|local[ _]rank|\bnnodes\b|ray cluster|partitions"),
    ("UNSUPPORTED_ARCHITECTURE", r"\brope|architectures?\b|(?<!gpt_)model[ _]?types?\b|hidden_act|activation(?: function)?\b|layer[ _]types?|position_embedding|attention type|hf_config|num_hidden_layers|head[ _]?(?:size|dim)|num_(?:attention|key_value|kv)_heads|attention heads|sliding.window|\bmamba|hybrid model|sinks?\b|(?:this|the) model\b.{0,60}(?:not|n't) support|not supported (?:for|by|with) (?:this|the) model\b|id2label|\bscoring|\w+For(?:CausalLM|ConditionalGeneration)|huggingface processor|attention implementation|encoder[/-]decoder|encoder self|cross.attention|alibi|soft.?cap"),
    ("INVALID_ARGUMENT", r"(?:^|[\s`'])--[a-z]|backends?\b|\bmode\b|dtype|\bdata types?\b|\bflags?\b|options?\b|arguments?\b|parameters?\b|environment variable|\b[A-Z]{3,}_[A-Z_]{3,}|load.?format|\bmax_\w+|\blora|specul|draft|medusa|eagle|chunked|prefix.?cach|schedul|cuda.?graph|page.?size|block.?size|chunk|kv.?cache|\bport\b|\bseed\b|parsers?\b|enable[_d]|disable[_d]|config file|attention kind|\w+_(?:size|len|num|path|policy|method|algorithm|cls)\b|must be an? (?:bool|int|float|str|dict|list|positive|non-negative)|cannot be empty|must not exceed engine|import path|transaction policy|for model \S+ with no backend|\balgorithm\b|\bmethod\b|\bdecod|\btasks?\b|\bpooling\b|secure mode"),
)  # fmt: skip
_SUBJECTS = tuple((cause, re.compile(words, re.IGNORECASE)) for cause, words in _WORDS)
# A refusal that begins with a flag is about that flag, whatever it names as reason, unless it is one of parallelism.
_OWN_FLAG = re.compile(
    r"^\W{0,3}--(?!(?:[\w-]*[-_])?(?:tp|pp|ep|dp|cp|dcp|tensor|pipeline|expert|data|quantization|nnodes|num-shard)\b)[a-z]",
    re.IGNORECASE,
)
_OF_A_FLAG = ("MISSING_DEPENDENCY", "UNSUPPORTED_GPU", "INVALID_ARGUMENT")
# A folder or a file may be called anything.
_PATH = re.compile(r"(?<![\w:])~?(?:/[\w.@+-]+){2,}")
# These say so clearly that the place of the exception need not be asked.
CLEAR: tuple[Cause, ...] = (
    "MISSING_DEPENDENCY",
    "UNSUPPORTED_GPU",
    "QUANTIZATION_ERROR",
    "TOKENIZER_ERROR",
    "SHARDING_ERROR",
)


def refused(line: str) -> Cause | None:
    """The cause that the subject of a refusal speaks for; None where nothing is refused."""
    text = line[:1200]
    kind = _KINDS.search(text)
    said = _PATH.sub(" ", text[kind.end() :]) if kind else ""
    refusal = _ASSERTED if kind and kind[0].startswith("Assertion") else _REFUSAL
    if not said or not refusal.search(said) or _OF_THE_MACHINERY.search(said):
        return None
    if _DO_NOT_GO_TOGETHER.search(said):
        return "INVALID_ARGUMENT"
    own = _OWN_FLAG.match(said)
    return next((c for c, subject in _SUBJECTS if subject.search(said) and (not own or c in _OF_A_FLAG)), None)
