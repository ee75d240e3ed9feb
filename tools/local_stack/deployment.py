"""The real template, built and deployed by the real SAM CLI."""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config

from tools.from_template import parameters, resources
from tools.local_stack import local_aws
from tools.local_stack.layer_digest import write_digest

PROJECT = Path(__file__).parents[2]
BUILDS = PROJECT / ".build" / "built"
SAMS_OWN = PROJECT / "requirements" / "sam.txt"
STACK_NAME = "needs-attention-local"  # as in samconfig.toml


@dataclass(frozen=True)
class Tools:
    """The programs that have environments of their own, because their requirements conflict."""

    sam: Path = PROJECT / ".build/sam/bin/sam"
    ministack_python: Path = PROJECT / ".build/ministack/bin/python"


def deploy(
    tools: Tools, aws_endpoint: str, directory: Path, wanted: Mapping[str, str], project: Path = PROJECT
) -> dict[str, str]:
    """Builds the project, deploys it with those of the wanted parameters that its template has, and answers the stack's
    outputs.

    What SAM says goes to `sam.log` in `directory`; if SAM fails, the end of it is the RuntimeError's message.
    """
    if project == PROJECT:
        write_digest()
    settings = {"Environment": "local", "Architecture": architecture(), **wanted}
    known = parameters(project / "template.yaml")
    overrides = ["--parameter-overrides", *(f"{name}={value}" for name, value in settings.items() if name in known)]
    config = ["--config-file", str(project / "samconfig.toml"), "--config-env", "local"]
    environment = {**local_aws.environment_of(aws_endpoint), "SAM_CLI_TELEMETRY": "0", "PATH": path_with_this_python()}
    log = directory / "sam.log"
    log.unlink(missing_ok=True)

    def sam(*command: str) -> None:
        with log.open("a") as output:
            finished = subprocess.run(  # noqa: S603 - SAM, from this project's own environment
                [str(tools.sam), *command, *config, *overrides],
                cwd=project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                check=False,
            )
        if finished.returncode:
            raise RuntimeError(f"sam {command[0]} failed:\n{log.read_text()[-6000:]}")

    built = _build_once(project, lambda folder: sam("build", "--build-dir", str(folder)))
    sam("deploy", "--template-file", str(built / "template.yaml"))
    deployed = outputs(aws_endpoint)
    _let_roles_send_batches(aws_endpoint)
    _take_bytes_as_the_template_says(aws_endpoint, deployed["ApiId"])
    _refuse_as_the_template_says(aws_endpoint, deployed["ApiId"])
    return deployed


def _build_once(project: Path, build: Callable[[Path], None]) -> Path:
    """Where the project is built: now, or before from the same sources.

    SAM has a cache of its own, but keeps its index beside the folder that it builds into, and so each stack's apart.
    """
    BUILDS.mkdir(parents=True, exist_ok=True)
    with (BUILDS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two stacks at once, one builds, and the other one waits for it
        built = build_of(project)
        if not built.exists():
            for older in BUILDS.glob("*/"):
                shutil.rmtree(older)
            unfinished = BUILDS / "unfinished"
            build(unfinished)
            unfinished.rename(built)
    return built


def build_of(project: Path = PROJECT) -> Path:
    """Where a build belongs that is made from these sources, of which all names and contents count."""
    digest = hashlib.sha256(f"{sys.version} {architecture()}".encode())
    folders = (project / "layers", project / "functions")
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    for file in sorted([project / "template.yaml", project / "samconfig.toml", SAMS_OWN, *files]):
        digest.update(f"{file}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return BUILDS / digest.hexdigest()[:16]


def _let_roles_send_batches(aws_endpoint: str) -> None:
    """Allows SendMessageBatch to the roles that may send messages.

    On AWS `sqs:SendMessage` allows both (Amazon SQS Developer Guide, "Amazon SQS batch actions"). The embedded AWS asks
    for an action of its own.
    """
    iam = local_aws.session().client("iam", endpoint_url=aws_endpoint)
    roles = (role["RoleName"] for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"])
    for role in roles:
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            policy: Any = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            allowed = json.dumps(policy)
            with_batches = allowed.replace('"sqs:SendMessage"', '"sqs:SendMessage*"')
            if with_batches != allowed:
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=with_batches)


def _take_bytes_as_the_template_says(aws_endpoint: str, api_id: str) -> None:
    """Unescapes the binary media types. CloudFormation wants `text~1csv`, which the embedded AWS takes as it is.

    It takes the list whole too, where AWS takes each type by itself.
    """
    whole_list = Config(parameter_validation=False)
    gateway = local_aws.session().client("apigateway", endpoint_url=aws_endpoint, config=whole_list)
    types = [
        escaped.replace("~1", "/") for escaped in gateway.get_rest_api(restApiId=api_id).get("binaryMediaTypes", [])
    ]
    operation: Any = {"op": "replace", "path": "/binaryMediaTypes", "value": types}
    gateway.update_rest_api(restApiId=api_id, patchOperations=[operation])


def _refuse_as_the_template_says(aws_endpoint: str, api_id: str) -> None:
    """Adds the gateway responses, because the embedded AWS does not read them from an API's definition."""
    gateway = local_aws.session().client("apigateway", endpoint_url=aws_endpoint)
    api = resources()["Api"]["Properties"]
    for kind, told in api["GatewayResponses"].items():
        headers = told["ResponseParameters"]["Headers"].items()
        gateway.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            **({"statusCode": told["StatusCode"]} if "StatusCode" in told else {}),
            # Conditional parts are those of a stack without an allowed origin.
            responseParameters={
                f"gatewayresponse.header.{name}": value[-1] if isinstance(value, list) else value
                for name, value in headers
            },
            responseTemplates=told["ResponseTemplates"],
        )
    gateway.create_deployment(restApiId=api_id, stageName=api["StageName"])


def outputs(aws_endpoint: str) -> dict[str, str]:
    """The outputs of the deployed stack."""
    cloudformation = local_aws.session().client("cloudformation", endpoint_url=aws_endpoint)
    (stack,) = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def architecture() -> str:
    """This machine's own: the layer's compiled packages must run here."""
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def path_with_this_python() -> str:
    """`sam build` looks for the runtime's Python (3.13) on PATH; the one that runs this is it."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
