"""The whole system on one machine: the embedded AWS, an Amazon, the deployed template, and people to sign in."""

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.local_stack import amazon, deployment, local_aws, people
from tools.local_stack.processes import ProcessList


@dataclass(frozen=True)
class Stack:
    """Everything that a caller needs to use the stack; `stack.json` holds the same, with these names in camelCase."""

    api: str
    aws_endpoint: str
    region: str
    stack_name: str
    amazon_endpoint: str
    lwa_endpoint: str
    tokens: dict[str, str]
    token_url: str
    warehouse_client: str
    outputs: dict[str, str]

    def as_shell_variables(self) -> str:
        """For `source`: the API, each role's token under the role's name, and how the warehouse's machine gets one."""
        variables = {"API": self.api} | {role.upper(): token for role, token in self.tokens.items()}
        variables |= {"TOKEN_URL": self.token_url, "WAREHOUSE_CLIENT": self.warehouse_client}
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


class LocalStack:
    """One stack, with all its files and the list of its processes in a directory of its own."""

    def __init__(self, directory: Path, tools: deployment.Tools, say: Callable[[str], None]) -> None:
        self.directory = directory
        self.stack_file = directory / "stack.json"
        self._tools = tools
        self._say = say
        self._processes = ProcessList(directory / "processes.json")

    def up(self, project: Path = deployment.PROJECT) -> Stack:
        """Starts what does not run yet, deploys the template and the code as they are now, and writes `stack.json`.

        `project` is where they are: an earlier release's, or here. Whatever fails or interrupts it ends everything.
        Raises RuntimeError if something does not start or deploy.
        """
        if not self._is_whole():
            self.down()  # the remains of a killed `up`
        self.stack_file.unlink(missing_ok=True)  # the stack is not whole again until this is
        self.directory.mkdir(parents=True, exist_ok=True)
        try:
            stack = self._deployed(project)
        except BaseException:
            self.down()
            raise
        (self.directory / "env.sh").write_text(stack.as_shell_variables())
        self.stack_file.write_text(json.dumps({_camel(name): value for name, value in asdict(stack).items()}, indent=2))
        return stack

    def down(self) -> list[str]:
        """Ends what `up` started and removes its files; answers the names of the processes that were running."""
        ended = self._processes.end_all()
        shutil.rmtree(self.directory, ignore_errors=True)
        return ended

    def _is_whole(self) -> bool:
        return self.stack_file.exists() and local_aws.is_healthy(self._processes.read().get("ministack"))

    def _deployed(self, project: Path) -> Stack:
        aws_endpoint = self._aws_endpoint()
        amazon_endpoints = self._amazon_endpoints()
        self._say(f"Building and deploying template.yaml onto {aws_endpoint}")
        outputs = deployment.deploy(
            self._tools,
            aws_endpoint,
            self.directory,
            {
                "SpApiEndpoint": amazon_endpoints.sp_api,
                "LwaEndpoint": amazon_endpoints.lwa,
                "AwsEndpointUrl": aws_endpoint,
                "OrderChangeNotifications": "true",
            },
            project,
        )
        self._say("Signing in a reader, an editor, a warehouse and an administrator")
        pool = outputs["UserPoolId"]
        return Stack(
            api=f"{aws_endpoint}/_aws/execute-api/{outputs['ApiId']}/v1",
            aws_endpoint=aws_endpoint,
            region=local_aws.REGION,
            stack_name=deployment.STACK_NAME,
            amazon_endpoint=amazon_endpoints.sp_api,
            lwa_endpoint=amazon_endpoints.lwa,
            tokens=people.access_tokens(aws_endpoint, pool, outputs["PeopleClientId"]),
            token_url=f"{aws_endpoint}/oauth2/token",
            warehouse_client=people.client_login(people.cognito_at(aws_endpoint), pool, outputs["WarehouseClientId"]),
            outputs=outputs,
        )

    def _aws_endpoint(self) -> str:
        running = self._processes.read().get("ministack")
        if running is None:
            self._say("Starting MiniStack")
            running = local_aws.start(self._tools.ministack_python, self.directory, self._processes)
        return running.endpoint

    def _amazon_endpoints(self) -> amazon.AmazonEndpoints:
        if elsewhere := amazon.endpoints_from_environment():
            return elsewhere
        if running := amazon.running_stand_in(self._processes.read().get("amazon_stand_in"), self.directory):
            return running
        self._say("Starting the Amazon stand-in")
        return amazon.start_stand_in(deployment.PROJECT, self.directory, self._processes)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
