"""The only way to declare a route: together with its access rule, which the gate enforces.

The gate blocks every route that is not declared here, so no route can be left unprotected. Nor can its cost be
forgotten: a response without a stated cost is not sent, unless the route declares a constant cost. Nor can its threads:
a blocking route runs only in the thread pool that it names.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, wraps
from typing import Any, Literal, TypeVar

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from lamplighter.web.capacity.caller import identify_caller
from lamplighter.web.capacity.response_cache import ResponseCache
from lamplighter.web.capacity.thread_pools import Pool, ThreadPools
from lamplighter.web.http.content_negotiation import ResponseFormat
from lamplighter.web.http.response_cost import Pricing, require_priced
from lamplighter.web.http.streaming import spool_body

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_SMALL_BODY = 64 * 1024
_REQUEST = "pooled_request"


class Access(Enum):
    """The callers who may use a route. Host and Origin are checked first, for every route."""

    OPEN = "open"
    """Anyone who can connect, for routes that reveal nothing about runs (the page itself, health, launching)."""
    READ = "read"
    """Anyone on the loopback interface; elsewhere only the presenter."""
    PRESENT = "present"
    """Only the presenter, to read private data."""
    CHANGE = "change"
    """Only the presenter."""
    PUSH = "push"
    """Only a program with a pusher's token, about its own runs: `{run}` in the path."""


@dataclass(frozen=True)
class RouteRule:
    """A declared route, as the gate sees it."""

    kind: Literal["http", "websocket"]
    path: str
    methods: frozenset[str]
    """Empty for a websocket."""
    access: Access
    body_limit: int = 0
    """Maximum size of a request body, in bytes."""
    polled: bool = False
    """True if open pages poll this route, so that a request does not count as the user's activity."""
    pattern: re.Pattern[str] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", compile_path(self.path)[0])


@dataclass(frozen=True)
class AnswerFacts:
    """Facts about the responses of a route that its rule and signature do not state, for the OpenAPI document."""

    formats: tuple[ResponseFormat, ...] = ()
    """Formats of the body, the default first; empty: JSON only."""
    etag: bool = False
    """True if a client that already has the response gets 304."""
    errors: tuple[int, ...] = ()
    """Error statuses besides those that follow from the rule, the signature and the formats."""
    headers: tuple[str, ...] = ()
    """Headers of the answer."""


@dataclass(frozen=True)
class DeclaredRoute:
    """A route as it was declared: its rule, its function, FastAPI's options for it, and facts about its answers."""

    rule: RouteRule
    endpoint: Callable[..., Any]
    options: dict[str, Any]
    answers: AnswerFacts = AnswerFacts()
    pricing: Pricing = Pricing.STATED
    pool: Pool = Pool.NONE
    """The pool in which its function runs; None exactly for coroutine functions."""

    def __post_init__(self) -> None:
        if inspect.iscoroutinefunction(self.endpoint) != (self.pool is Pool.NONE):
            raise TypeError(
                f"{self.endpoint.__name__} must name a pool of threads if it blocks, and only then"
            )

    @cached_property
    def built(self) -> APIRoute:
        """Return FastAPI's route, one for all apps: most of the time that an app takes to build goes into its routes."""
        endpoint = self.endpoint if self.pool is Pool.NONE else _in_pool(self)
        return APIRoute(
            self.rule.path, endpoint, generate_unique_id_function=lambda route: route.name, **self.options
        )


class Routes:
    """The routes of one resource."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self.declared: list[DeclaredRoute] = []
        """The routes, in the order in which they were declared."""

    def get(
        self,
        path: str,
        *,
        pool: Pool,
        access: Access = Access.READ,
        head: bool = True,
        polled: bool = False,
        pricing: Pricing = Pricing.STATED,
        answers: AnswerFacts = AnswerFacts(),
        **options: Any,
    ) -> Callable[[Endpoint], Endpoint]:
        """Register a route that changes nothing. HEAD is answered too, unless `head` is false. `polled`: open pages or
        watching programs poll it."""
        methods = frozenset({"GET", "HEAD"} if head else {"GET"})
        rule = RouteRule("http", path, methods, access, polled=polled)
        return self._add(rule, {"methods": ["GET"], **options}, answers, pricing, pool)

    def post(
        self,
        path: str,
        *,
        pool: Pool = Pool.CHANGE,
        access: Access = Access.CHANGE,
        body_limit: int = _SMALL_BODY,
        pricing: Pricing = Pricing.STATED,
        answers: AnswerFacts = AnswerFacts(),
        **options: Any,
    ) -> Callable[[Endpoint], Endpoint]:
        """Register a POST route, for presenters unless `access` says otherwise."""
        rule = RouteRule("http", path, frozenset({"POST"}), access, body_limit)
        return self._add(rule, {"methods": ["POST"], **options}, answers, pricing, pool)

    def put(
        self,
        path: str,
        *,
        access: Access,
        body_limit: int,
        pricing: Pricing = Pricing.STATED,
        answers: AnswerFacts = AnswerFacts(),
        **options: Any,
    ) -> Callable[[Endpoint], Endpoint]:
        """Register a PUT route, whose function reads the body itself."""
        rule = RouteRule("http", path, frozenset({"PUT"}), access, body_limit, polled=True)
        return self._add(rule, {"methods": ["PUT"], **options}, answers, pricing, Pool.NONE)

    def patch(
        self,
        path: str,
        *,
        pricing: Pricing = Pricing.STATED,
        answers: AnswerFacts = AnswerFacts(),
        **options: Any,
    ) -> Callable[[Endpoint], Endpoint]:
        rule = RouteRule("http", path, frozenset({"PATCH"}), Access.CHANGE, _SMALL_BODY)
        return self._add(rule, {"methods": ["PATCH"], **options}, answers, pricing, Pool.CHANGE)

    def delete(
        self,
        path: str,
        *,
        pricing: Pricing = Pricing.STATED,
        answers: AnswerFacts = AnswerFacts(),
        **options: Any,
    ) -> Callable[[Endpoint], Endpoint]:
        rule = RouteRule("http", path, frozenset({"DELETE"}), Access.CHANGE)
        return self._add(rule, {"methods": ["DELETE"], **options}, answers, pricing, Pool.CHANGE)

    def websocket(self, path: str, *, access: Access = Access.READ) -> Callable[[Endpoint], Endpoint]:
        """Register a websocket on which only the server sends."""
        rule = RouteRule("websocket", path, frozenset(), access)
        return self._add(rule, {}, AnswerFacts(), Pricing.FIXED, Pool.NONE)

    def attach(
        self,
        app: FastAPI,
        pools: ThreadPools,
        cache: ResponseCache,
        wanted: Callable[[RouteRule], bool] = lambda _: True,
    ) -> list[DeclaredRoute]:
        """Add the routes that pass `wanted` to an app, each in its pool, with large bodies in the spool of `cache`.
        Returns them for the app's gate and OpenAPI document.
        """
        attached = [route for route in self.declared if wanted(route.rule)]
        app.state.pools, app.state.response_cache = pools, cache
        for route in attached:
            if route.rule.kind == "websocket":
                app.add_api_websocket_route(route.rule.path, route.endpoint)
            else:
                app.router.routes.append(route.built)
        return attached

    def _add(
        self,
        rule: RouteRule,
        options: dict[str, Any],
        answers: AnswerFacts,
        pricing: Pricing,
        pool: Pool,
    ) -> Callable[[Endpoint], Endpoint]:
        if rule.kind == "http":
            options = {"tags": [self._tag], **options}

        def keep(endpoint: Endpoint) -> Endpoint:
            answering = _refuse_unpriced(endpoint) if pricing is Pricing.STATED else endpoint
            self.declared.append(DeclaredRoute(rule, answering, options, answers, pricing, pool))
            return endpoint

        return keep


def _refuse_unpriced(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(endpoint)
    def answer(*args: Any, **kwargs: Any) -> Any:
        return require_priced(endpoint(*args, **kwargs), endpoint.__name__)

    @wraps(endpoint)
    async def answer_later(*args: Any, **kwargs: Any) -> Any:
        return require_priced(await endpoint(*args, **kwargs), endpoint.__name__)

    if inspect.iscoroutinefunction(endpoint):
        answer = answer_later
    # FastAPI would resolve the names in its annotations in this module, not in theirs.
    answer.__signature__ = inspect.signature(endpoint, eval_str=True)  # pyright: ignore[reportAttributeAccessIssue]
    return answer


def _in_pool(route: DeclaredRoute) -> Callable[..., Any]:
    # FastAPI reads from the signature what to pass, and passes the request under one name only.
    signature = inspect.signature(route.endpoint, eval_str=True)
    parameters = list(signature.parameters.values())
    own = next((parameter.name for parameter in parameters if parameter.annotation is Request), None)
    if own is None:
        parameters.append(inspect.Parameter(_REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request))

    @wraps(route.endpoint)
    async def run(**arguments: Any) -> Response:
        request = arguments[own] if own else arguments.pop(_REQUEST)
        caller = identify_caller(request)
        pools: ThreadPools = request.app.state.pools
        cache: ResponseCache = request.app.state.response_cache

        def work() -> Response:
            return spool_body(route.endpoint(**arguments), cache, presenter=caller.presenter)

        return await pools.run_in(route.pool, work, caller=caller)

    vars(run)["__signature__"] = signature.replace(parameters=parameters)
    return run


def find_rule(
    rules: Iterable[RouteRule], kind: str, method: str, path: str
) -> tuple[RouteRule | None, set[str]]:
    """Return the rule for a request, and the methods that its path allows (empty: there is no such path)."""
    allowed: set[str] = set()
    for rule in rules:
        if rule.kind == kind and rule.pattern.match(path):
            if kind == "websocket" or method in rule.methods:
                return rule, set(rule.methods)
            allowed |= rule.methods
    return None, allowed
