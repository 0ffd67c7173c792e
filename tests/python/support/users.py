"""Reads a reference for each user, with threads that share one client and with tasks that share another."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import anyio

from component_resolver import AsyncClient, Caller, Client


def versions_by_threads(url: str, reference: str, users: list[str]) -> list[str]:
    """Return the version that each user gets from the blocking client."""
    with Client(url) as resolver, ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda user: resolver.get(reference, caller=Caller(key=user)).version, users))


async def versions_by_tasks(url: str, reference: str, users: list[str]) -> list[str]:
    """Return the version that each user gets from the asynchronous client."""
    versions = dict.fromkeys(users, "")

    async def read(user: str) -> None:
        component = await resolver.get(reference, caller=Caller(key=user))
        versions[user] = component.version

    async with AsyncClient(url) as resolver, anyio.create_task_group() as group:
        for user in users:
            group.start_soon(read, user)
    return list(versions.values())


def main() -> None:
    """Print the versions of each client as JSON."""
    url, reference, users = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    versions = {"threads": versions_by_threads(url, reference, users)}
    for backend in ("asyncio", "trio"):
        versions[backend] = anyio.run(versions_by_tasks, url, reference, users, backend=backend)
    print(json.dumps(versions))


main()
