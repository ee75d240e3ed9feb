"""The OpenAPI document: it describes the functions as they are, completely and correctly."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from needs_attention.api.callers import Role
from tests.integration.test_http_api import ALLOWED
from tools.in_memory.api import World, routes
from tools.openapi.conformance import FILE, document_checked_in, problems_with
from tools.openapi.document import path_of
from tools.openapi.examples import examples
from tools.openapi.write import operations, whole_document

DOCUMENT = document_checked_in()
OPERATIONS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
BY_NAME = pytest.mark.parametrize(
    "operation", [pytest.param(operation, id=operation["operationId"]) for _, _, operation in OPERATIONS]
)


def test_the_checked_in_document_describes_the_functions_as_they_are() -> None:
    assert FILE.read_text(encoding="utf-8") == whole_document(), "run `make openapi`"


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


def test_the_document_tells_of_every_route_but_its_own() -> None:
    told = {(method, path) for method, path, _ in OPERATIONS}
    assert told == {(route.method, route.resource) for route in routes()} - {("GET", "/openapi.json")}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_the_document_names_the_roles_that_are_let_in(method: str, path: str, operation: dict[str, Any]) -> None:
    assert set(operation["x-roles"]) == ALLOWED[method, path]
    named = {role for requirement in operation["security"] for role in requirement.get("person", [])}
    assert named <= ALLOWED[method, path] <= {*map(str, Role)}


@BY_NAME
def test_an_operation_is_told_in_words(operation: dict[str, Any]) -> None:
    assert operation["summary"][0].isupper()
    assert all(parameter["description"] for parameter in operation["parameters"] if parameter["in"] != "query")


@BY_NAME
def test_an_operation_has_an_example_of_each_answer_and_of_what_is_sent(operation: dict[str, Any]) -> None:
    contents = list(operation.get("requestBody", {}).get("content", {}).values())
    contents += [
        content
        for status, answer in operation["responses"].items()
        if status < "3"
        for content in answer.get("content", {}).values()
    ]
    assert all(content["examples"] for content in contents)
    for content in contents:
        validator = Draft202012Validator(content["schema"] | {"components": DOCUMENT["components"]})
        for example in content["examples"].values():
            validator.validate(example["value"])


def test_each_operation_has_a_case_in_which_it_succeeds() -> None:
    succeeded = {(example.method, example.path) for example in examples() if example.status < 300}
    assert succeeded == {(operation.method, path_of(operation)) for operation in operations()}


def test_everybody_may_read_the_document(world: World) -> None:
    answer = world.call_as({}, "GET", "/openapi.json")
    assert (answer.status, answer.body) == (200, DOCUMENT)
    assert answer.headers["Content-Type"] == "application/json"


# The tests compare every answer of a function with the document (see conftest): these show that they would notice


def test_an_answer_of_another_shape_is_noticed(world: World) -> None:
    stages = world.call("GET", "/stages")
    assert problems_with("GET", "/stages", 200, stages.body, stages.headers) == []
    wrong = {"stages": [stage | {"id": 1, "color": "red"} for stage in stages.body["stages"]]}
    assert len(problems_with("GET", "/stages", 200, wrong, stages.headers)) >= 2
    less = {"stages": [{"id": "new"}]}
    assert any("isBuiltIn" in problem for problem in problems_with("GET", "/stages", 200, less, stages.headers))
    assert problems_with("GET", "/stages", 418, {}, stages.headers) == ["status 418 is not documented"]
    sheet = {"Content-Type": "text/csv"}
    assert problems_with("GET", "/stages", 200, "", sheet) == ["text/csv is not documented for status 200"]
