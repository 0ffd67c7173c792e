"""The call `resolve`: many references at once."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from ._calls import Call
from ._connection import Connection
from ._get import reference_of
from ._memory import Answer
from .caller import CanonicalCaller, is_ascii
from .component import Unavailable
from .errors import GONE, TRANSIENT, Problem, ResolverError, is_transient
from .snapshot import Snapshot, snapshot_of


class _PartialSnapshotError(ResolverError):
    """Raised for a snapshot in which a reference has a temporary error."""

    def __init__(self, snapshot: Snapshot, problem: Problem) -> None:
        super().__init__(f"/resolve: {problem.status} {problem.detail}", status=problem.status, problem=problem)
        self.snapshot = snapshot


@dataclass(frozen=True)
class _Wanted:
    """The parameters of one call."""

    body: bytes
    sender: CanonicalCaller

    @property
    def call(self) -> Hashable:
        """The key of the call in the memory."""
        return ("resolve", self.body, self.sender.override, self.sender.script_override)


def resolve(
    connection: Connection, references: Sequence[str], caller: CanonicalCaller, *, content: bool
) -> Call[Snapshot]:
    """Resolve many references at once; the last answer if the resolver cannot be reached."""
    wanted = _wanted(references, caller, content=content)
    fallback = connection.memory.answer(wanted.call) is not None
    try:
        return (yield from connection.retry(lambda: _fetch(connection, wanted), fallback=fallback))
    except ResolverError as error:
        return _last_answer(connection, wanted, error)


def _wanted(references: Sequence[str], caller: CanonicalCaller, *, content: bool) -> _Wanted:
    if isinstance(references, str):
        raise TypeError("resolve: expected a list of references, not one text")
    body: dict[str, Any] = {"refs": list(references), "content": content}
    if caller.key:
        body["key"] = caller.key
    if caller.segments:
        body["segments"] = caller.segments
    # The header selects the version of the Worker; the key in the body selects the component versions.
    key = caller.key if is_ascii(caller.key) else ""
    return _Wanted(json.dumps(body).encode(), replace(caller, key=key, segments=()))


def _last_answer(connection: Connection, wanted: _Wanted, error: ResolverError) -> Snapshot:
    if not is_transient(error):
        connection.memory.forget(wanted.call)
        raise error
    last = connection.memory.answer(wanted.call)
    if last and isinstance(last.value, Snapshot):
        return replace(last.value, unavailable=Unavailable(last.seconds(), error))
    # Each reference in the snapshot has its own error.
    if isinstance(error, _PartialSnapshotError):
        return error.snapshot
    raise error


def _fetch(connection: Connection, wanted: _Wanted) -> Call[Snapshot]:
    response = yield from connection.ask(
        "POST",
        "/resolve",
        wanted.sender,
        what="/resolve",
        headers={"Content-Type": "application/json"},
        body=wanted.body,
    )
    try:
        snapshot = snapshot_of(json.loads(response.body))
    except ValueError as error:
        raise ResolverError(f"/resolve: the response is not a snapshot: {error}") from error
    _note(connection, wanted, snapshot, len(response.body))
    return snapshot


def _note(connection: Connection, wanted: _Wanted, snapshot: Snapshot, size: int) -> None:
    """Keep a snapshot for an outage, and note what the resolver refused."""
    errors = [(one.ref, one.error) for one in snapshot.resolved if one.error]
    for ref, problem in errors:
        if problem.status not in TRANSIENT:
            connection.memory.withdraw(ref)
    for _, problem in errors:
        if problem.status in TRANSIENT:
            raise _PartialSnapshotError(snapshot, problem)
    # An outage repeats "revoked", and does not repeat "unknown".
    if all(problem.status == GONE for _, problem in errors):
        references = [one.ref for one in snapshot.resolved]
        references += [reference_of(one.url) for one in snapshot.resolved if one.url]
        connection.memory.keep_answer(wanted.call, Answer(snapshot, tuple(references), monotonic()), size)
