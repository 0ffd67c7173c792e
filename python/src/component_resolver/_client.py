"""The blocking client."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from time import monotonic, sleep
from types import TracebackType

import httpx

from ._address import base_url
from ._calls import Call, NoResponseError, Pause, Request, Response, Value
from ._connection import Connection, Settings
from ._get import get
from ._memory import Memory
from ._resolve import resolve
from ._transport import FAILURES, late, said, transport_options
from .caller import Caller, HasHeaders, caller_of_request, canonical_caller
from .component import Component
from .snapshot import Snapshot


class Client:
    """Reads components from the resolver at `url`.

    Reuse it, also from several threads: it keeps connections, contents and the last good answers.

    * `token`: a read token, if the resolver needs one. It is sent over https or to this machine only, and
      follows no redirect.
    * `caller`: the caller, unless a call names another one.
    * `attempts`: the maximum number of requests per call, including the first.
    * `timeout`: the timeout of one request in seconds. It bounds each step on the network: the connection,
      each write and each read. A body that arrives in pieces is given up with the first piece after that time.
    * `backoff`: the wait before the second request in seconds, doubled for each further request, with jitter.
    * `max_delay`: the longest wait between two requests in seconds. `Retry-After` may ask for a longer one,
      which is waited for within `patience`, unless there is a last good answer: then the call returns that
      one at once.
    * `patience`: the longest time in seconds after which another request of the same call begins.
    * `memory`: the size of the memory for contents and answers in bytes.
    * `transport`: replaces the transport of httpx, for example with one that has another proxy.

    Raises `ValueError` for a URL with a user, a query or a fragment, and for an http URL of another
    machine if there is a token.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        caller: Caller | None = None,
        attempts: int = 3,
        timeout: float = 5.0,
        backoff: float = 0.1,
        max_delay: float = 2.0,
        patience: float = 15.0,
        memory: int = 16 << 20,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        base = base_url(url, token)
        settings = Settings(str(base), token, attempts, backoff, max_delay, patience)
        self._connection = Connection(settings, Memory(memory))
        self._caller = caller or Caller()
        self._timeout = timeout
        self._http = httpx.Client(transport=transport, **transport_options(base, token, timeout))

    def get(self, reference: str, *, caller: Caller | None = None) -> Component:
        """Read a component by its reference: `prompts/extraction@production`, `schemas/order@^2`.

        Raises `ResolverError` if the resolver refuses it, or if it is unavailable and there is no last
        good answer.
        """
        return self._run(get(self._connection, reference, canonical_caller(caller or self._caller)))

    def resolve(self, references: Sequence[str], *, content: bool = False, caller: Caller | None = None) -> Snapshot:
        """Resolve up to 100 references as one consistent snapshot. `content` adds their contents.

        Raises `ResolverError` as `get` does; the error of one reference is in its result.
        """
        canonical = canonical_caller(caller or self._caller)
        return self._run(resolve(self._connection, references, canonical, content=content))

    def for_caller(self, caller: Caller) -> Client:
        """Return this client for another caller. Both share connections and memory; close one of them."""
        other = copy(self)
        other._caller = caller
        return other

    def for_request(self, headers: HasHeaders, *, overrides: bool = False) -> Client:
        """Return this client for the sender of a request with these headers.

        It forwards the request's `Component-Version-Key` (or else `Cloudflare-Workers-Version-Key`).
        With `overrides`, it also forwards `Component-Version-Override` and
        `Cloudflare-Workers-Version-Overrides`: the sender then chooses the version. Do not set it for
        requests of end users.
        """
        return self.for_caller(caller_of_request(self._caller, headers, overrides=overrides))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, call: Call[Value]) -> Value:
        """Perform what a call yields, and return its result."""
        try:
            effect = next(call)
            while True:
                try:
                    outcome = self._do(effect)
                except NoResponseError as error:
                    effect = call.throw(error)
                else:
                    effect = call.send(outcome)
        except StopIteration as end:
            result: Value = end.value
            return result

    def _do(self, effect: Request | Pause) -> Response | None:
        if isinstance(effect, Pause):
            sleep(effect.seconds)
            return None
        try:
            return self._send(effect)
        except FAILURES as error:
            raise NoResponseError(said(error)) from error

    def _send(self, request: Request) -> Response:
        end = monotonic() + self._timeout
        with self._http.stream(request.method, request.url, headers=request.headers, content=request.body) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if monotonic() > end:
                    raise NoResponseError(late(self._timeout))
        return Response(response.status_code, response.reason_phrase, response.headers, bytes(body))
