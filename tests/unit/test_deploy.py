"""`make deploy`, and the configurations that it deploys with."""

import re
import tomllib
from pathlib import Path

import pytest

from tools.deploy import SAM_CONFIG, Deployment
from tools.from_template import parameters

CONFIGURATIONS = tomllib.loads(SAM_CONFIG.read_text(encoding="utf-8"))
DOCUMENTS = [Path("README.md"), Path("SECURITY.md"), *Path("docs").glob("*.md")]


def steps(configuration: str, *parameters: str, file: Path = SAM_CONFIG) -> list[list[str]]:
    return list(Deployment(configuration, parameters, file).steps(["--guided"]))


def test_a_deployment_builds_first_with_the_same_parameters() -> None:
    build, deploy = steps("prod", "Architecture=x86_64")
    assert (build[0], deploy[:2]) == ("build", ["deploy", "--guided"])
    assert build[1:] == deploy[2:]
    assert 'Architecture="x86_64"' in build


@pytest.mark.parametrize("configuration", ["default", "prod"])
def test_a_plain_deployment_starts_the_clock(configuration: str) -> None:
    """SAM would keep the value of a parameter that is not given: a clock that was stopped would stay so."""
    assert 'ScheduleState="ENABLED"' in steps(configuration)[-1]


@pytest.mark.parametrize("configuration", ["default", "prod"])
def test_a_stack_gets_the_processor_that_its_layer_is_built_for(configuration: str) -> None:
    """A build takes the template's default where nothing is given, and a deployment the value that the stack has."""
    build, deploy = steps(configuration)
    built_for = f'Architecture="{parameters()["Architecture"]["Default"]}"'
    assert built_for in build
    assert built_for in deploy


def test_a_parameter_that_is_given_wins_and_leaves_the_others() -> None:
    deploy = steps("prod", "ScheduleState=DISABLED")[-1]
    assert 'ScheduleState="DISABLED"' in deploy
    assert 'ScheduleState="ENABLED"' not in deploy
    assert 'Environment="prod"' in deploy


def test_the_parameters_of_a_guided_deployment_are_read(tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    file.write_text('[prod.deploy.parameters]\nparameter_overrides = "Environment=\\"prod\\" AlarmEmail=\\"\\""\n')
    assert steps("prod", file=file)[-1][-2:] == ['Environment="prod"', 'AlarmEmail=""']


def test_a_configuration_without_parameters_gives_none(tmp_path: Path) -> None:
    file = tmp_path / "samconfig.toml"
    file.write_text("[prod.deploy.parameters]\nresolve_s3 = true\n")
    assert steps("prod", file=file) == [
        ["build", "--config-env", "prod"],
        ["deploy", "--guided", "--config-env", "prod"],
    ]


@pytest.mark.parametrize("wrong", ["DISABLED", "=DISABLED", "--guided=yes"])
def test_what_is_no_parameter_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="looks like"):
        Deployment("prod", [wrong])


def test_an_unknown_configuration_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no \[production\.deploy\.parameters\]"):
        Deployment("production")


def test_each_configuration_tags_the_environment_that_it_deploys() -> None:
    for name in ("default", "prod"):
        settings = CONFIGURATIONS[name]["deploy"]["parameters"]
        (environment,) = (one for one in settings["parameter_overrides"] if one.startswith("Environment="))
        assert environment.replace("Environment", "environment") in settings["tags"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_no_document_deploys_without_building(document: Path) -> None:
    assert re.findall(r"sam deploy|--config-env prod", document.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_no_document_sees_a_part_of_the_stack_only(document: Path) -> None:
    """AWS shows the first 100 resources by `describe-stack-resources`, and the stack has more."""
    assert "describe-stack-resources" not in document.read_text(encoding="utf-8")


PASSING = {"ScheduleState", "CanaryDeployments"}


def test_documents_give_for_the_moment_only_what_is_to_pass() -> None:
    """A guided deployment saves every parameter, so the next plain one takes back any that a command gave."""
    texts = [one.read_text(encoding="utf-8") for one in DOCUMENTS]
    given = {name for text in texts for name in re.findall(r'PARAMETERS="?(\w+)=', text)}
    assert given - {"Name"} == PASSING


def test_the_documents_deploy_with_configurations_and_parameters_there_are() -> None:
    commands = re.findall(r"make deploy([^\n`]*)", "".join(one.read_text(encoding="utf-8") for one in DOCUMENTS))
    assert len(commands) > 5
    for command in commands:
        configured = re.search(r"CONFIG=(\w+)", command)
        given = re.search(r'PARAMETERS="?([^"\n]+)"?', command)
        assert steps(configured[1] if configured else "default", *(given[1].split() if given else []))
