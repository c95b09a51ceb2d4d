"""What SageMaker's own FailureReason tells when it tells something, and the errors its calls refuse with."""

# ruff: noqa: E501 - the signs are data: a table whose rows would only get harder to read if wrapped.

from __future__ import annotations

from inservice.diagnosis.failures.failure import ROOT, SPECIFIC, SYMPTOM, Failure, sign

REASON_FAILURES: tuple[Failure, ...] = (
    Failure(
        "account_quota", "QUOTA", ROOT, 0.96,
        "The account's quota does not allow this.",
        "Request an increase in Service Quotas, or use another instance type.",
        (sign("resourcelimitexceeded"), sign("service limit"), sign("service quotas"), sign("quota", r"exceed|limit|increase|reached|insufficient"), sign("limitexceeded")),
    ),
    Failure(
        "no_capacity", "CAPACITY", ROOT + 1, 0.97,
        "AWS has no free instance of this type at the moment.",
        "Name fallback_instance_types, try later, or use another instance type.",
        (
            sign("insufficientinstancecapacity"), sign("unable to provision requested ml compute"), sign("could not provision requested ml compute"), sign("insufficient capacity"), sign("insufficientcapacity"), sign("insufficient instance capacity"), sign("not enough capacity"), sign("capacityerror"), sign("capacity error"), sign("unable to locate at least", r"availability zone"), sign("temporarily unavailable", r"instance|zone|capacity"), sign("no capacity"), sign("does not have sufficient"),
        ),
    ),
    Failure(
        "image_unreadable", "IMAGE_PULL", ROOT - 1, 0.93,
        "SageMaker cannot fetch the image.",
        "Check that the image exists in this region and that role and repository policy allow the pull.",
        (
            sign("permission for the image"), sign("batchgetimage"), sign("getdownloadurlforlayer"), sign("make sure all images included"), sign("pull access denied"), sign("manifest"), sign("cannot pull"), sign("repository of your image"), sign("requested image", r"not found|does not exist"), sign("image", r"(?:does not exist|not found|could not be pulled|failed to pull|pull(?:ing)? (?:the )?image failed)"),
        ),
    ),
    Failure(
        "image_too_large", "INVALID_REQUEST_CONFIG", ROOT + 1, 0.92,
        "The image is larger than this kind of endpoint allows.",
        "Use a real-time endpoint on an instance, or a smaller image.",
        (sign("image size", r"greater than supported"),),
    ),
    Failure(
        "request_not_allowed", "INVALID_REQUEST_CONFIG", ROOT - 1, 0.92,
        "SageMaker refuses a setting of the request.",
        "Correct the setting that is named.",
        (
            sign("volumesize"), sign("volume size", r"not allowed|not supported"), sign("is not allowed for the selected"), sign("is not supported for ml."), sign("validation error detected"), sign("validationerror"), sign("only supported for inference component"), sign("min instance count"), sign("already existing"), sign("cannot update in-progress"), sign("currently in use endpoint configuration"), sign("invalid value"), sign("failed to satisfy constraint"), sign("unsupported instance type"), sign("instance type", r"not supported|invalid|unsupported|not available in"), sign("member must"), sign("inferenceamiversion", r"invalid|not|unsupported"), sign("networkisolation"), sign("could not find endpoint"), sign("could not find model \""), sign("must be between"), sign("unsupported manifest media type"),
        ),
    ),
    Failure(
        "request_refused", "INVALID_REQUEST_CONFIG", SPECIFIC - 5, 0.84,
        "SageMaker refuses the request.",
        "Correct what the message names.",
        (sign("validationexception"),),
    ),
    Failure(
        "container_cannot_start", "BAD_CONTAINER", SPECIFIC, 0.82,
        "The container could not be started at all, so it wrote no log.",
        "Check the image's CUDA against the host AMI (InferenceAmiVersion) and that `docker run <image> serve` works.",
        (sign("cannotstartcontainer"), sign("docker run <image> serve"), sign("container", r"(?:could not|cannot|failed to) (?:be )?start"), sign("exec format error"), sign("accept-bind-to-port")),
    ),
    Failure(
        "role_refused", "IAM", ROOT, 0.94,
        "The execution role is missing, not trusted, or lacks a permission.",
        "Correct the role's trust relationship and permissions (S3, ECR, logs).",
        (
            sign("execution role", r"invalid|does not exist|trust|permission|assume"), sign("could not assume role"), sign("not authorized to perform"), sign("accessdenied"), sign("access denied"), sign("could not access model data"), sign("sts:assumerole"), sign("does not have permission"), sign("passrole"), sign("explicit deny"), sign("permissions to access", r"s3|kms|role"), sign("kms", r"denied|not authorized|disabled"),
        ),
    ),
    Failure(
        "model_data_missing", "MODEL_NOT_FOUND", SPECIFIC + 2, 0.8,
        "The model data is not where the model says.",
        "Correct the S3 address; the bucket must be in the endpoint's region and readable for the role.",
        (sign("could not find model data"), sign("no such key"), sign("nosuchkey"), sign("nosuchbucket"), sign("does not exist", r"s3|object|bucket|model data")),
    ),
    Failure(
        "model_data_download", "MODEL_DOWNLOAD_FAILED", SPECIFIC + 2, 0.85,
        "SageMaker could not fetch the model data.",
        "See that the object exists in the endpoint's region and that the role may read it; give the download a longer window.",
        (sign("failed to download model data"), sign("model data download", r"time(?:d)?.?out|fail|exceed"), sign("failed to download"), sign("download", r"timed out|timeout")),
    ),
    Failure(
        "model_archive_damaged", "CORRUPT_WEIGHTS", ROOT, 0.86,
        "The model archive cannot be unpacked.",
        "Build a valid tar.gz, or use uncompressed model data.",
        (sign("failed to extract model data"), sign("unable to untar"), sign("valid tar.gz"), sign("extract model data archive", None)),
    ),
    Failure(
        "host_memory_said", "HOST_OOM", ROOT, 0.93,
        "The container used more memory than the host (or the serverless limit) has.",
        "Use an instance type with more RAM.",
        (sign("insufficient memory"), sign("out of memory"), sign("outofmemory"), sign("memory limit")),
    ),
    Failure(
        "vpc_said", "NETWORK_VPC", ROOT - 1, 0.88,
        "The VPC's subnets or security groups do not let the endpoint reach what it needs.",
        "Add routes or VPC endpoints for S3, ECR and logs, and allow outbound traffic.",
        (sign("route table"), sign("vpc endpoint"), sign("nat device"), sign("security group", None), sign("subnet", r"(?:no free|insufficient|not enough) (?:ip )?address|does not exist|network")),
    ),
    Failure(
        "disk_said", "DISK_FULL", ROOT, 0.93,
        "The volume is too small.",
        "Use a larger volume on EBS-only types, or an instance type with a larger local disk.",
        (sign("no space left"), sign("disk", r"full|insufficient|not enough|out of space")),
    ),
    Failure(
        # The archive is unpacked on the instance's own storage (sagemaker-python-sdk #879).
        "archive_too_large", "DISK_FULL", ROOT + 1, 0.88,
        "The model archive does not fit on the instance's storage.",
        "Use uncompressed model data, a larger volume on EBS-only types, or an instance type with a larger local disk.",
        (sign("too large", r"archive|model data"),),
    ),
    Failure(
        "service_fault", "CRASH_UNKNOWN", SYMPTOM, 0.45,
        "SageMaker reports a fault of its own without a reason.",
        "Try again; if it repeats, ask AWS support.",
        (sign("request to service failed"), sign("internal error"), sign("internalservererror")),
    ),
)  # fmt: skip
