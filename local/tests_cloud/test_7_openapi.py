"""The API keeps to the document that it serves, whatever it is asked: no failure, no status and no answer that is not in it.

Comes last: it asks for restores and starts jobs. No function but the API runs meanwhile, so that nothing comes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.specs.openapi import checks

from cloud_functions import NAMES
from cloud_world import World

EXAMPLES = 20
# A method that no route has never comes to the function: the gateway knows none of it, and says 404 in its own words.
LEFT_TO_THE_GATEWAY = [checks.unsupported_method]

api = schemathesis.pytest.from_fixture("document")


@pytest.fixture(scope="module")
def alone(world: World) -> Iterator[None]:
    """Only the API runs: what it starts finds no place to run."""
    lambdas = world.aws.client("lambda")
    others = [world.functions.name(name) for name in NAMES if name != "api"]
    for name in others:
        lambdas.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    yield
    for name in others:
        lambdas.delete_function_concurrency(FunctionName=name)


@pytest.fixture(scope="module")
def document(world: World, alone: None) -> Any:
    """The document as it is served, with the address it was served from."""
    served = world.admin.get("/v1/openapi.json")
    schema = schemathesis.openapi.from_dict(served)
    schema.config.update(base_url=world.cloud.api_url)
    return schema


def test_the_document_is_one_of_openapi_3_1_and_tells_every_route(world: World) -> None:
    served = world.admin.get("/v1/openapi.json")
    assert served["openapi"].startswith("3.1")
    told = {f"{method.upper()} {path}" for path, methods in served["paths"].items() for method in methods}
    gateway = world.aws.client("apigatewayv2")
    (found,) = gateway.get_apis()["Items"]
    routes = gateway.get_routes(ApiId=found["ApiId"], MaxResults="100")["Items"]
    assert told == {route["RouteKey"] for route in routes}


@api.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_the_document_says(world: World, case: Case) -> None:
    token = world.cloud.place.tokens.token("admin_master")
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, excluded_checks=LEFT_TO_THE_GATEWAY)
