"""FailureReason in SageMaker's words, as public issues and the developer guide quote them."""

from __future__ import annotations

CAPACITY = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using a "
    "different ML instance type or after some time. Consider configuring InstancePools in your EndpointConfig with "
    "multiple instance types for priority-based fallback to improve capacity availability."
)

# A fault of the service's own.
SERVICE = "Request to service failed. If failure persists after retry, contact customer support."


def ping(variant: str) -> str:
    """The window ended before /ping answered; the leading space is in recorded answers too, but not in all."""
    return (
        f"The primary container for production variant {variant} did not pass the ping health check. Please check "
        "CloudWatch logs for this endpoint."
    )


def cannot_start(variant: str) -> str:
    """The host could not start the container: no log at all."""
    return (
        f"CannotStartContainerError. Please ensure the model container for variant {variant} starts correctly when "
        "invoked with 'docker run <image> serve'"
    )


def no_image(variant: str) -> str:
    """The image is not there."""
    return (
        f"Please make sure all images included in the model for the production variant {variant} exist, and that the "
        "execution role used to create the model has permissions to access them."
    )


def no_pull(role: str, image: str) -> str:
    """The role may not pull the image."""
    return f"The role '{role}' does not have BatchGetImage permission for the image: '{image}'."


def bad_role(role: str) -> str:
    """The role is missing or does not trust SageMaker."""
    return (
        f'The execution role ARN "{role}" is invalid. Please ensure that the role exists and that its trust '
        f"relationship "
        'policy allows the action "sts:AssumeRole" for the service principal "sagemaker.amazonaws.com"'
    )


def no_model_data(url: str) -> str:
    """Model data could not be downloaded, or not within its window."""
    return (
        f'Failed to download model data for container "container_1" from URL: "{url}". Please ensure that there is an '
        "object located at the URL and that the role passed to CreateModel has permissions to download the object."
    )


def alarm(names: str) -> str:
    """An alarm rolled the deployment back; SageMaker's own words for it are not public, these are ours."""
    return f"Deployment was rolled back because of alarms in ALARM state: {names}."
