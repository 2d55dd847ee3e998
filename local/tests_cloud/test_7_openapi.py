"""The API keeps to the document that it serves, whatever it is asked: no failure, no status and no answer that is not in it.

Comes last: it asks for restores and starts jobs. No function but the API runs meanwhile, so that nothing comes of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cloud_functions import NAMES
from cloud_world import World
from issuer import MASTER

# Of each operation; with the cases that the document's bounds and examples suggest it is a few thousand calls in all.
EXAMPLES = 15
SEED = 20261123
# Left out: `unsupported_method`, since a method that no route has never comes to the function, and the gateway says 404 in its own
# words; and `positive_data_acceptance`, since more can be wrong with a wish than a schema can say, as a backup that is not there.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "ignored_auth",
)
# Not `stateful`: the document has no links, and those that are guessed lead nowhere.
PHASES = "examples,coverage,fuzzing"
LONGEST_SECONDS = 600


@contextmanager
def api_alone(world: World) -> Iterator[None]:
    """Only the API runs: what it starts finds no place to run."""
    lambdas = world.aws.client("lambda")
    others = [world.functions.name(name) for name in NAMES if name != "api"]
    for name in others:
        lambdas.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        yield
    finally:
        for name in others:
            lambdas.delete_function_concurrency(FunctionName=name)


def test_the_document_is_one_of_openapi_3_1_and_tells_every_route(world: World) -> None:
    served = world.admin.get("/v1/openapi.json")
    assert served["openapi"].startswith("3.1")
    told = {f"{method.upper()} {path}" for path, methods in served["paths"].items() for method in methods}
    gateway = world.aws.client("apigatewayv2")
    (found,) = gateway.get_apis()["Items"]
    routes = gateway.get_routes(ApiId=found["ApiId"], MaxResults="100")["Items"]
    assert told == {route["RouteKey"] for route in routes}


def references(value: Any) -> Iterator[str]:
    """Every reference in a document."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key == "$ref":
            yield item
        else:
            yield from references(item)


def test_the_document_has_all_that_it_refers_to(world: World) -> None:
    served = world.admin.get("/v1/openapi.json")
    known = {f"#/components/{kind}/{name}" for kind, named in served["components"].items() for name in named}
    assert set(references(served)) <= known
    assert set(references(served)) != set()


def test_every_answer_is_as_the_document_says(backed_up: World) -> None:
    folder = Path(backed_up.cloud.folder)
    document = folder / "openapi.json"
    document.write_text(json.dumps(backed_up.admin.get("/v1/openapi.json")), "utf-8")
    token = backed_up.cloud.place.tokens.token(MASTER)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(document)),
        f"--url={backed_up.cloud.api_url}",
        f"--header=Authorization: Bearer {token}",
        f"--checks={','.join(CHECKS)}",
        f"--phases={PHASES}",
        f"--max-examples={EXAMPLES}",
        f"--seed={SEED}",
        "--generation-database=none",
        "--continue-on-failure",
        "--no-color",
    ]
    with api_alone(backed_up):
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)
    assert ran.returncode == 0, ran.stdout + ran.stderr
