"""Who may call which route: every route of the deployed API with every kind of caller, and the trail that calls leave."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import pytest

from cloud_api import CONFIRMED
from cloud_objects import read_record
from cloud_world import World
from issuer import ADMIN, MASTER, sign, new_key

NO_ID = "20200101T000000Z-00000000"
MONTH = "2026-10"
NO_MONTH = "2020-01"
UNAUTHORIZED, FORBIDDEN = 401, 403


@dataclass(frozen=True)
class Call:
    """A call that changes nothing, whoever makes it, and how it is answered to those who may make it."""

    method: str
    path: str
    least: str | None
    status: int
    body: Any = None
    route: str = ""

    @property
    def key(self) -> str:
        """The route, as the gateway calls it."""
        return f"{self.method} {self.route or self.path}"


# What may begin something is asked in a way that can't be done; to whom this is said, he may ask.
NONSENSE = {"nonsense": True}
CALLS = [
    Call("GET", "/v1/backups", ADMIN, 200),
    Call("GET", f"/v1/backups/{NO_ID}", ADMIN, 404, route="/v1/backups/{id}"),
    Call("GET", "/v1/runs", ADMIN, 200),
    Call("GET", f"/v1/runs/{NO_ID}", ADMIN, 404, route="/v1/runs/{id}"),
    Call("GET", "/v1/restores", ADMIN, 200),
    Call("GET", f"/v1/restores/{NO_ID}", ADMIN, 404, route="/v1/restores/{id}"),
    Call("GET", "/v1/status", ADMIN, 200),
    Call("GET", "/v1/reports", ADMIN, 200),
    Call("GET", f"/v1/reports/{MONTH}", ADMIN, 200, route="/v1/reports/{month}"),
    Call("GET", f"/v1/reports/{NO_MONTH}/page", ADMIN, 404, route="/v1/reports/{month}/page"),
    Call("GET", "/v1/openapi.json", None, 200),
    Call("POST", "/v1/backups", ADMIN, 422, NONSENSE),
    Call("POST", "/v1/runs", ADMIN, 422, {"job": "verify", "month": MONTH}),
    Call("POST", "/v1/runs", MASTER, 422, {"job": "cleanup", "month": MONTH}),
    Call("POST", "/v1/restores", MASTER, 422, {"backup": "latest", "mode": "in-place"}),
    Call("POST", f"/v1/restores/{NO_ID}/promote", MASTER, 404, CONFIRMED, "/v1/restores/{id}/promote"),
    Call("POST", f"/v1/restores/{NO_ID}/undo", MASTER, 404, CONFIRMED, "/v1/restores/{id}/undo"),
    Call("POST", f"/v1/restores/{NO_ID}/cancel", MASTER, 404, {}, "/v1/restores/{id}/cancel"),
    Call("PATCH", "/v1/schedules/none", MASTER, 404, {"enabled": True}, "/v1/schedules/{name}"),
]
ROLES: dict[str, list[str]] = {"nobody in particular": [], ADMIN: [ADMIN], MASTER: [MASTER], "both": [ADMIN, MASTER]}
# Roles that only look like ours.
STRANGERS = {"Admin": ["Admin"], "administrator": ["administrator"], "a list in a word": ["x", "[admin_master]"]}
EACH_CALL = pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.key} ({call.body})" if call.body else call.key)


def tokens_that_are_none(world: World) -> dict[str, str | None]:
    """Tokens that open nothing, although they claim the highest role."""
    tokens = world.cloud.place.tokens
    now = int(time.time())
    good = tokens.token(MASTER)
    head, claims, signature = good.split(".")
    forged = {"iss": tokens.issuer, "aud": "gorgen-demo", "sub": "x", "exp": now + 600, "cognito:groups": [MASTER]}
    return {
        "no token": None,
        "expired": tokens.token(MASTER, lifetime=-60),
        "not yet": tokens.token(MASTER, nbf=now + 600),
        "for another audience": tokens.token(MASTER, aud="another"),
        "for no audience": tokens.token(MASTER, aud=None),
        "of another issuer": tokens.token(MASTER, iss="https://issuer.example"),
        "signed by another key": sign(forged, new_key()),
        "not signed": f"{head}.{claims}.",
        "changed": f"{head}.{claims[:-4]}AAAA.{signature}",
        "no token at all": "opensesame",
    }


def test_every_route_is_tried(world: World) -> None:
    gateway = world.aws.client("apigatewayv2")
    (api,) = [found["ApiId"] for found in gateway.get_apis()["Items"]]
    routes = gateway.get_routes(ApiId=api, MaxResults="100")["Items"]
    assert {call.key for call in CALLS} == {route["RouteKey"] for route in routes}
    assert {route["AuthorizationType"] for route in routes} == {"JWT"}


@EACH_CALL
def test_no_route_is_open_without_a_good_token(world: World, call: Call) -> None:
    for what, token in tokens_that_are_none(world).items():
        reply = world.api(token).call(call.method, call.path, call.body)
        assert reply.status == UNAUTHORIZED, f"{what}: {reply}"


@EACH_CALL
@pytest.mark.parametrize("who", ROLES)
def test_a_route_is_open_to_those_with_its_role(backed_up: World, call: Call, who: str) -> None:
    roles = ROLES[who]
    may = call.least is None or call.least in roles or MASTER in roles
    reply = backed_up.api(backed_up.cloud.place.tokens.token(*roles)).call(call.method, call.path, call.body)
    assert reply.status == (call.status if may else FORBIDDEN), reply
    if reply.status >= 400:
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert reply.body.keys() >= {"type", "title", "status", "detail"} and reply.body["status"] == reply.status


@pytest.mark.parametrize("who", STRANGERS)
def test_a_role_that_only_looks_like_ours_is_none(world: World, who: str) -> None:
    reply = world.api(world.cloud.place.tokens.token(*STRANGERS[who])).call("GET", "/v1/status")
    assert reply.status == FORBIDDEN, reply


def trail(world: World, known: set[str]) -> list[dict[str, Any]]:
    """The records of calls that came since, the oldest first."""
    return [read_record(world.vault.get(key)) for key in sorted(set(world.vault.objects("audit/")) - known)]


def test_a_call_that_is_refused_leaves_a_record_of_who_and_why(world: World) -> None:
    known, restores = set(world.vault.objects("audit/")), world.vault.objects("restores/")
    wish = {"backup": "latest", "mode": "in-place", "confirm": "RESTAURAR"}
    token = world.cloud.place.tokens.token(ADMIN, subject="joao")
    refused = world.api(token).call("POST", "/v1/restores", wish, User_Agent="navegador")
    assert refused.status == FORBIDDEN
    (record,) = trail(world, known)
    assert record["caller"]["subject"] == "joao" and record["caller"]["name"] == "joao@clinica.example"
    assert record["caller"]["roles"] == [ADMIN] and record["caller"]["agent"] == "navegador"
    assert record["caller"]["address"] == "127.0.0.1"
    assert (record["action"], record["verdict"], record["status"]) == ("POST /v1/restores", "refused", FORBIDDEN)
    assert record["request"]["mode"] == "in-place" and record["reason"]
    assert world.vault.objects("restores/") == restores


def test_what_is_not_confirmed_is_refused_and_recorded(world: World) -> None:
    known = set(world.vault.objects("audit/"))
    for confirm in (None, "restaurar", "RESTAURAR "):
        given = {} if confirm is None else {"confirm": confirm}
        reply = world.master.call("POST", "/v1/restores", {"backup": "latest", "mode": "in-place"} | given)
        assert reply.status == 422 and "RESTAURAR" in reply.body["detail"], reply
    assert [record["verdict"] for record in trail(world, known)] == ["refused"] * 3


def test_to_look_leaves_no_record(world: World) -> None:
    known = set(world.vault.objects("audit/"))
    world.admin.get("/v1/status")
    world.admin.get("/v1/backups")
    assert trail(world, known) == []


def test_a_schedule_is_switched_off_and_on_and_stays_what_it_was(world: World) -> None:
    known = set(world.vault.objects("audit/"))
    scheduler = world.aws.client("scheduler")

    def whole() -> dict[str, Any]:
        found = scheduler.get_schedule(GroupName="gorgen-demo-jobs", Name="gorgen-demo-verify")
        kept = ("Name", "GroupName", "ScheduleExpression", "Target", "FlexibleTimeWindow", "State", "Description")
        return {key: found.get(key) for key in kept}

    before = whole()
    assert before["State"] == "DISABLED"
    on = world.master.expect(200, "PATCH", "/v1/schedules/verify", {"enabled": True})
    assert on["enabled"] and whole() == before | {"State": "ENABLED"}
    world.master.expect(200, "PATCH", "/v1/schedules/verify", {"enabled": False})
    assert whole() == before
    assert [record["verdict"] for record in trail(world, known)] == ["allowed", "allowed"]
