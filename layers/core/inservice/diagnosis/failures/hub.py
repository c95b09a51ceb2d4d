"""Failures of fetching a model: access, names, network, downloads, damaged files."""

# ruff: noqa: E501 - the signs are data: a table whose rows would only get harder to read if wrapped.

from __future__ import annotations

import re

from inservice.diagnosis.failures.failure import ROOT, SPECIFIC, WEAK, Failure, sign

_HUB = r"huggingface|hf\.co|hf-mirror|modelscope"


def refused_or_missing(before: list[str], line: str) -> str | None:
    """A repository the hub calls unknown is gated or private when the text around says so."""
    near = " ".join([*before[-12:], line])
    if re.search(
        r"gated|awaiting a review|restricted|access to (?:the )?model|401 Client Error.{0,80}resolve", near, re.I
    ):
        return "GATED_OR_AUTH"
    return None


def network_or_download(before: list[str], line: str) -> str | None:
    """No route and no name are the network's fault; a broken transfer is the download's."""
    near = " ".join([*before[-40:], line])
    if re.search(
        r"name resolution|name or service not known|network is unreachable|no route to host|failed to resolve|"
        r"getaddrinfo|connect(?:ion)? ?time(?:d )?-?out|connecttimeout|connection refused|newconnectionerror|no address associated",
        near,
        re.IGNORECASE,
    ):
        return "NETWORK_VPC"
    return None


_QUANTISED_LOADER = re.compile(r"bitsandbytes_loader|gguf_loader|gguf_utils|loader/\w*(?:quant|bnb)\w*\.py")
_READS_CHECKPOINT = re.compile(r"config|tokeni|weight|load|hub|transformers|model|checkpoint", re.IGNORECASE)


def quantised_or_incomplete(before: list[str], line: str) -> str | None:
    """Whose a file or tensor that does not fit is: an option's JSON, or what a loader of quantised weights made."""
    frames = [text for text in before[-60:] if 'File "' in text]
    # JSON is also what options are written in.
    own = [frame for frame in frames if "/json/" not in frame][-1:]
    if "JSONDecodeError" in line and any(re.search(r"properties_manager|arg_utils|_args\.py", frame) for frame in own):
        return "INVALID_ARGUMENT"
    # Whatever else is read as JSON, such as what a program printed, is no part of the checkpoint.
    if "JSONDecodeError" in line and own and not _READS_CHECKPOINT.search(own[0]):
        return "CRASH_UNKNOWN"
    # The weight has its plain name, and the layer was made for a quantised one.
    if "_weight'" in line and any("is convertible to" in text for text in before):
        return "QUANTIZATION_ERROR"
    return "QUANTIZATION_ERROR" if any(_QUANTISED_LOADER.search(frame) for frame in frames) else None


HUB_FAILURES: tuple[Failure, ...] = (
    Failure(
        "gated_model", "GATED_OR_AUTH", ROOT, 0.97,
        "The hub refuses the model: it is gated or private, and the token is missing or lacks access.",
        "Accept the model's licence with the account of the token, and name the secret that holds it in hf_token_secret.",
        (
            sign("gatedrepoerror"), sign("cannot access gated repo"), sign("gated repo", r"access|403|401|error|must"),
            sign("is gated", r"model|repo|access"),
            sign("access to model", r"is restricted"),
            sign("not in the authorized list"),
            sign("you must be authenticated to access it"), sign("must have access to it and be authenticated"),
            sign("ask for access"),
            sign("awaiting a review from the repo"),
            sign("invalid username or password"), sign("invalid api", r"(?<!\w)invalid api[ _-]?key"),
            sign("invalid credentials in authorization header"),
            sign("invalid user token"), sign("user access token", r"invalid|expired|not valid"),
            sign("localtokennotfounderror"), sign("token is required", r"hub|hf|token=|found"),
            sign("401 client error", r"unauthorized|" + _HUB, r"Repository Not Found"),
            sign("403 client error", r"forbidden|" + _HUB, r"is disabled"),
            sign("401 unauthorized", _HUB + r"|model|resolve", r"proxy|tunnel"), sign("403 forbidden", _HUB + r"|model|resolve", r"proxy|tunnel"),
            sign("status code: 401", None), sign("status code 401", None), sign("statuscode(401"), sign("kind: status(401"), sign("kind: status(403"), sign("invalid token passed"),
            sign("http response code: 40", r"code: 40[13] for URL: https://huggingface"),
            sign("http status client error (401"), sign("http status client error (403"),
            sign("illegal header value b'bearer"),
            sign("provided token", r"(?:invalid|not|expired)"),
        ),
    ),
    Failure(
        "repository_missing", "MODEL_NOT_FOUND", SPECIFIC, 0.86,
        "The hub knows no such repository (or hides a private one).",
        "Correct the model's name; for a private repository name the secret that holds a token in hf_token_secret.",
        (
            sign("repositorynotfounderror"), sign("disabledrepoerror"), sign("access to this resource is disabled"), sign("repository not found for url"),
            sign("is not a local folder and is not a valid model identifier"),
            sign("not a valid model identifier"),
            sign("repo_type` argument if needed"), sign("repo id must"), sign("hfvalidationerror"),
            # transformers' words for a path that holds no model and is no repository's name either (utils/hub.py).
            sign("incorrect path_or_model_id"),
            sign("revisionnotfounderror"), sign("revision not found for url"), sign("invalid rev id"),
            sign("is not a valid git identifier"),
            sign("404 client error", r"not found|" + _HUB), sign("http status client error (404"), sign("kind: status(404"), sign("filenotfoundexception", r"Exception: https://huggingface"),
            sign("invalid repository id or local directory"),
            sign("model", r"model \S{1,120} (?:does not exist|not found|was not found)", r"endpoint|tokenizer|route|POST|download-weights"),
        ),
        decide=refused_or_missing,
    ),
    Failure(
        "files_missing", "MODEL_NOT_FOUND", SPECIFIC, 0.88,
        "The repository or folder does not hold the files the server needs.",
        "Point to a folder or revision that holds config.json and the weights.",
        (
            sign("does not appear to have", r"have (?:a |any )?(?:files? |\S+\. Checkout)"), sign("could not locate", r"could not locate \S+ inside"), sign("can't find a checkpoint index"), sign("not a local folder or a valid repository"), sign("could not detect config format"), sign("mistral-format model"), sign("can't load", r"can't load (?:image |feature |video )?(?:processor|extractor|feature extractor) for"), sign("could not find checkpoint files"), sign("no local weights found", r"error"),
            sign("entrynotfounderror", None, r"LocalEntryNotFound"), sign("entry not found for url"),
            sign("cannot find any model weights"), sign("no model weights found"), sign("no safetensors weights found", r"error|raise|RuntimeError|EntryNotFound"),
            sign("weights found for model", r"no \S+ weights found for model.{0,160}(?:error|$)", r"INFO|WARN"),
            sign("cannot find model weights"),
            sign("error no file named"), sign("can't find 'adapter_config.json'"), sign("filenotfounderror", r"Error: (?!\[Errno).{0,160}(?:safetensors|weights|\.bin\b|checkpoint).{0,120}(?:not found|not exist)"),
            # Rust's, as printed (TGI's TensorRT-LLM backend, Text Embeddings Inference), and DJL Serving's.
            sign("enginefolderdoesntexists"), sign("confignotfound("), sign("`config.json` not found"), sign("file at `", r"does not exist"), sign(".py file not found in"), sign("no object found", r"s3://"),
            sign("couldn't find any model file"),
            sign("exactly one .pth or .pt file is required"),
            sign("can't load the configuration of"), sign("can't load the model for"),
            sign("no such file or directory", r"(?:opt/ml/model|config\.json|config\.pbtxt|\.safetensors|\.bin\b|\.pth?\b|/models?/|/model\b|model_store|model repository)", r"\.triton|\.so\b|cache|tokenizer|shm"),
            sign("unrecognized model in", r"should have a `?model_type`? key"),
            sign("model path", r"model path.{0,120}(?:does not exist|not found|not exist)"),
            sign("failed to poll from model repository"), sign("failed to stat file"), sign("failed to open text file for read"), sign("must specify model configuration"),
            sign("no model found in"), sign("modelnotfoundexception"), sign("model not found"), sign("model directory", r"(?:does not exist|not found|is empty|empty)"),
            sign("no models found"),
        ),
    ),
    Failure(
        # Words that also fit a wrong setting: a path that is empty, a file that Triton's backends are told to read.
        "files_hint", "MODEL_NOT_FOUND", SPECIFIC - 1, 0.74,
        "The folder most likely does not hold the files the server needs.",
        "Point to a folder that holds the configuration and the weights (or the engine).",
        (
            # TensorRT-LLM opens the engine and its config.json without looking for them first.
            sign("error opening engine file"), sign("json.exception.parse_error", r"modelInstanceState.{0,200}unexpected end of input"), sign("attempting to parse an empty input", r"modelInstanceState|engine|config"), sign("model paths are empty"),
            sign("at least one version must be available"), sign("must be provided in '"), sign("backend cannot find /"), sign("missing the model definition file"),
        ),
    ),
    Failure(
        "hub_unreachable", "NETWORK_VPC", SPECIFIC, 0.9,
        "The container has no network path to the hub.",
        "Stage the weights in S3, or give the VPC's subnets a route to the internet.",
        (
            sign("network is unreachable"), sign("no route to host"),
            sign("temporary failure in name resolution"), sign("name or service not known"), sign("nameresolutionerror"),
            sign("failed to resolve", r"host|" + _HUB + r"|amazonaws|name"), sign("nodename nor servname"),
            sign("could not resolve host"), sign("unknownhostexception"), sign("connectexception", r"timed out|unreachable"), sign("sockettimeoutexception", r"connect timed out"), sign("dial tcp", r"timeout|no such host|unreachable|refused", r"\bprobe\b"), sign("no address associated with hostname"), sign("getaddrinfo failed"),
            sign("dns error", None), sign("failed to lookup address information"),
            sign("connecttimeout", None), sign("connect timeout", None), sign("connection to", r"connection to \S+ timed out"),
            sign("connection timed out", _HUB + r"|amazonaws|https?:", r"NCCL|gloo|rank|tcp://"),
            sign("connection refused", _HUB + r"|amazonaws|proxy|host='|:443", r"localhost|127\.0\.0\.1"),
            sign("newconnectionerror", None, r"localhost|127\.0\.0\.1"),
            sign("max retries exceeded with url", r"amazonaws|NewConnection|Timeout"),
            sign("couldn't connect to 'https://"), sign("thrown while requesting", r"\[Errno \d+\].{0,80}thrown while requesting"), sign("couldn't connect to the hugging"), sign("offlinemodeisenabled"), sign("cannot reach https://"),
            sign("could not connect to the endpoint url"),
            sign("squid", r"5\d\d|error|cache"), sign("proxyerror"), sign("unable to connect to proxy"), sign("tunnel connection failed"),
            sign("subnet's route table"), sign("dispatch failure", r"connector|io error|timeout"),
        ),
    ),
    Failure(
        "download_failed", "MODEL_DOWNLOAD_FAILED", SPECIFIC, 0.86,
        "Fetching the model failed on the way.",
        "Try again; a longer download window or weights staged in S3 make it dependable.",
        (
            sign("no supported config format found"),
            sign("localentrynotfounderror"), sign("download-weights", r"not found in"), sign("cached snapshot", r"is incomplete"), sign("distant resource"), sign("served by a hugging face hub endpoint"), sign("and we cannot find", r"cached|cache|files"), sign("cannot find the requested files in the local cache"), sign("cannot find an appropriate cached snapshot"),
            sign("sslerror"), sign("ssl:", r"certificate|handshake|EOF|wrong version"), sign("certificate verify failed"),
            sign("readtimeout", None, r"NCCL|localhost|127\.0"), sign("read timed out", None, r"localhost|127\.0"),
            sign("incompleteread"), sign("chunkedencodingerror"), sign("connection broken"), sign("contentdecodingerror"),
            sign("connection reset by peer", r"http|" + _HUB + r"|amazonaws|Connection ?Error|ProtocolError", r"rank|gloo|NCCL|tcp"),
            sign("remotedisconnected"), sign("remote end closed connection"), sign("maxretryerror", None, r"localhost|127\.0"),
            sign("max retries exceeded with url", _HUB),
            sign("too many requests", None), sign("429 client error", None),
            sign("500 server error"), sign("502 server error"), sign("503 server error"), sign("504 server error"), sign("502 bad gateway"), sign("504 gateway"),
            sign("hfhubhttperror"), sign("cas service error"), sign("http status server error (5"), sign("consistency check failed"), sign("error while downloading"), sign("an error occurred while downloading"),
            sign("failed to download", None, r"IAM|AccessDenied"), sign("download failed"), sign("could not download", None, r"model artifacts$"), sign("download model failed"), sign("model failed to download"), sign("error downloading"), sign("file reconstruction error"),
            sign("slowdown", r"reduce your request rate"), sign("to libstreamer", r"File access error"), sign("nosuchbucket"), sign("nosuchkey"),
        ),
        decide=network_or_download,
    ),
    Failure(
        "download_process_failed", "MODEL_DOWNLOAD_FAILED", WEAK - 20, 0.55,
        "The download process ended; the log does not say why.",
        "Try again; if it repeats, stage the weights in S3.",
        (sign("error: downloaderror"), sign("downloaderror")),
    ),
    Failure(
        "s3_denied", "IAM", SPECIFIC + 5, 0.92,
        "AWS denies the container's role what it needs.",
        "Give the execution role the missing permission.",
        (
            sign("accessdenied", None, r"gated"), sign("access denied", r"s3|bucket|arn:|role|amazonaws|botocore|operation"),
            sign("is not authorized to perform"), sign("when calling the headobject operation: forbidden"),
            sign("(403) when calling the"), sign("expiredtoken"), sign("nocredentialserror"), sign("nocredentialproviders"), sign("unable to locate credentials"),
            sign("invalidaccesskeyid"), sign("signaturedoesnotmatch"),
        ),
    ),
    Failure(
        # Triton's S3 client leaves the reason empty when the bucket is of another region, missing, or refuses.
        "bucket_hint", "IAM", SPECIFIC - 2, 0.7,
        "The bucket could not be read.",
        "Check the bucket's name and region, and that the execution role may list and read it.",
        (sign("could not get metadata for bucket"), sign("unable to create s3 filesystem client")),
    ),
    Failure(
        "damaged_weights", "CORRUPT_WEIGHTS", ROOT, 0.93,
        "A weights file is damaged, truncated or not what its name says.",
        "Fetch or upload the weights again, in full (Git LFS pointers are not weights).",
        (
            sign("safetensorerror"), sign("error while deserializing header"), sign("invalidheader"), sign("headertoo"), sign("metadataincompletebuffer"),
            sign("pytorchstreamreader failed"), sign("istream reader failed"), sign("file in archive is not in a subdirectory"), sign("failed finding central directory"), sign("failed reading zip archive"), sign("invalid load key"),
            sign("unpicklingerror", None, r"weights_only"), sign("unexpected eof, expected"), sign("ran out of input"), sign("pickle data was truncated"),
            sign("unexpected end of file", None), sign("not a gzip file"), sign("invalid magic number"), sign("version https://git-lfs"),
            sign("is at version", r"git-lfs"), sign("file size mismatch"), sign("chunk files and slices do not match"), sign("checksum mismatch"), sign("sha256 mismatch"),
            sign("does not contain the valid metadata"), sign("incomplete download?"),
            sign("unable to load weights from"), sign("failed to unzip"), sign("is corrupted", r"(?:safetensors|\.bin|\.json|checkpoint|weights) is corrupted"), sign("storage has wrong byte size"),
        ),
    ),
    Failure(
        "weights_incomplete", "CORRUPT_WEIGHTS", SPECIFIC - 4, 0.71,
        "The checkpoint's tensors are not those the model needs.",
        "Check that all shards are there and belong to this model; a newer server version may know other names.",
        (
            sign("were not initialized from checkpoint", r"Error|Following weights"), sign("missing key(s) in state_dict"), sign("error(s) in loading state_dict"),
            sign("keyerror", r"KeyError: '[\w.]+\.(?:weight|bias|w\d_weight|w13_weight)'"),
            sign("does not exist", r"weight [\w.]+ does not exist", r"qweight|qzeros|g_idx|scales"),
            sign("missing keys", r"missing keys .{0,200}in (?:loaded state|presharded checkpoint)"),
            # Triton, of an engine it cannot read at all.
            sign("unable to load plan file"),
            # TGI reads and converts checkpoints itself (utils/weights.py, utils/convert.py); Candle's words.
            sign("was found in multiple files"), sign("output tensors do not match"), sign("no suitable name to keep"), sign("cannot find tensor", r"tensor [\w.]+\.\w+"),
            sign("jsondecodeerror"), sign("is not a valid json file"), sign("size mismatch for"), sign("shape mismatch", r"param|weight|checkpoint"),
            sign("tried to load weights of size"),
            sign("param_data.shape == loaded_weight.shape"), sign("loaded_weight.shape"), sign("attempted to load weight"),
        ),
        decide=quantised_or_incomplete,
    ),
)  # fmt: skip
