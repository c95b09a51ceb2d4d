"""The real `sam deploy` onto the engine, and what it needs to find there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from embedded.building import parameters, sam, sam_environment
from embedded.engine import REGION
from embedded.programs import PartFailed, Program

STACK_NAME = "inservice"
# The value is made up; the simulator is started with the same one and treats it as a token with access.
HUB_TOKEN = "hf_made_up_token_accepted_by_the_simulator"
_ARTEFACTS = "inservice-artefacts"
_DEPLOY_SECONDS = 240.0
_NEEDED = {"ApiUrl", "StateMachineArn", "TopicArn", "BucketName"}


def prepare(session: boto3.Session, engine_url: str, slack_url: str) -> None:
    """Puts in place what an account has before the stack: two secrets, and a bucket for the code."""
    try:
        secrets = session.client("secretsmanager", endpoint_url=engine_url)
        secrets.create_secret(Name="hf-token", SecretString=HUB_TOKEN)
        secrets.create_secret(Name="slack-webhook", SecretString=slack_url)
        session.client("s3", endpoint_url=engine_url).create_bucket(Bucket=_ARTEFACTS)
    except (BotoCoreError, ClientError) as problem:
        raise PartFailed("engine", f"it did not take the secrets and the bucket: {problem}") from None


def deploy(
    template: Path, *, state: Path, credentials: Mapping[str, str], engine_url: str, more: Mapping[str, str]
) -> Program:
    """Starts `sam deploy` of a built template, with `more` of its parameters."""
    environment = {**sam_environment(state), **credentials, "AWS_ENDPOINT_URL": engine_url}
    given = [f"{name}={value}" for name, value in more.items()]
    command = [
        sam(), "deploy", "--template-file", str(template), "--stack-name", STACK_NAME, "--s3-bucket", _ARTEFACTS,
        "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar", "--region", REGION,
        "--parameter-overrides", " ".join([*parameters(), "SlackSecretName=slack-webhook", *given]),
    ]  # fmt: skip
    return Program("sam deploy", command, environment=environment, log=state / "sam-deploy.log", cwd=state)


def api_url(found: Mapping[str, str], engine_url: str) -> str:
    """The API's address on the engine's port: by path, since not every resolver knows *.localhost."""
    api_id = found["ApiUrl"].removeprefix("https://").partition(".")[0]
    stage = found["ApiUrl"].rstrip("/").rpartition("/")[2]
    return f"{engine_url}/restapis/{api_id}/{stage}/_user_request_"


def outputs(deployment: Program, session: boto3.Session, engine_url: str) -> dict[str, str]:
    """Waits for the deployment and answers with the stack's outputs by name."""
    deployment.finish(seconds=_DEPLOY_SECONDS)
    cloudformation: Any = session.client("cloudformation", endpoint_url=engine_url)
    stack = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise deployment.failed(f"the stack is {stack['StackStatus']}")
    found = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
    if missing := _NEEDED - found.keys():
        raise PartFailed("sam deploy", f"the template has no output {', '.join(sorted(missing))}")
    return found
