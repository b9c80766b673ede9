"""The description of the API against what the server does: requests made up from the one, answers held to it."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from qmo_cli.board import Board
from qmo_cli.serve.openapi import description
from qmo_cli.serve.server import Serving

from .serving import TOKEN, ask, board, serving

FEW = settings(max_examples=8, derandomize=True, deadline=None, database=None,
               suppress_health_check=list(HealthCheck))
STATES = ("empty", "live", "ended")


def in_state(state: str) -> Board:
    """A board before anything came, while packets come, and after the end."""
    if state == "empty":
        return Board()
    found = board()
    if state == "ended":
        found.ended("of a test")
    return found


@pytest.fixture
def server() -> Iterator[Serving]:
    with serving(on=in_state("live")) as found:
        yield found


def test_requests_made_up_from_the_description_are_answered_as_it_says(server: Serving) -> None:
    import schemathesis  # takes a second: not when tests are only collected
    from schemathesis import GenerationMode
    from schemathesis.checks import CHECKS, load_all_checks

    load_all_checks()
    unavailable = [CHECKS.get_one("not_a_server_error")]     # 503 is described: nothing has come, or it is not of now

    def answered(case: Any) -> None:
        case.call_and_validate(timeout=10, excluded_checks=unavailable)

    described: Any = schemathesis.openapi.from_url(f"{server.url}/api/v1/openapi.json")
    operations = [result.ok() for result in described.get_all_operations()]
    assert len(operations) > 7
    for operation, mode in itertools.product(operations, GenerationMode):
        with contextlib.suppress(Unsatisfiable):             # without parameters nothing can be wrong with them
            FEW(given(operation.as_strategy(generation_mode=mode))(answered))()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("state", STATES)
def test_every_path_is_described_and_every_answer_fits_its_schema(state: str) -> None:
    """With another reader of JSON Schema than the one that makes up requests."""
    document = description()
    with serving(on=in_state(state), token=TOKEN) as server:
        bearer = f"Bearer {TOKEN}"
        assert json.loads(ask(server, "/api/v1/openapi.json", authorization=bearer).body) == document
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                for shown in (bearer, ""):
                    answer = ask(server, path, method.upper(), authorization=shown)
                    fits(document, operation["responses"][str(answer.status)], answer.headers, answer.body)
                    assert answer.status < 500 or (answer.status == 503 and state != "live")


def fits(document: dict[str, Any], described: dict[str, Any], headers: dict[str, str], body: bytes) -> None:
    """Raise unless an answer is as described."""
    kind = headers["content-type"].partition(";")[0]
    schema = described["content"][kind]["schema"]
    found = json.loads(body) if kind == "application/json" else body.decode()
    resolving = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(resolving).validate(found)


def test_every_route_is_described() -> None:
    from qmo_cli.serve.app import Service
    from qmo_cli.serve.metrics import Metrics
    from qmo_cli.serve.stream import Publisher

    publisher = Publisher(Board(), 20.0)
    service = Service(publisher.board, publisher, Metrics(publisher.board, publisher, ""))
    routes = {route.path for route in service.routes()}
    assert routes - set(description()["paths"]) == {"/", "/static/{name}", "/api/v1/stream"}
