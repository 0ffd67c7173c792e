"""Reads components from component-resolver over HTTP, blocking (`Client`) or not (`AsyncClient`)."""

from ._async_client import AsyncClient
from ._client import Client
from .caller import Caller, HasHeaders
from .component import Assignment, Component, Unavailable
from .errors import Problem, ResolverError
from .snapshot import Resolved, ScriptVersion, Snapshot

__all__ = [
    "Assignment",
    "AsyncClient",
    "Caller",
    "Client",
    "Component",
    "HasHeaders",
    "Problem",
    "Resolved",
    "ResolverError",
    "ScriptVersion",
    "Snapshot",
    "Unavailable",
]
