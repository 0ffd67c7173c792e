"""Reads a prompt with the generated client; prints what the test expects as JSON."""

import importlib
import json
import pkgutil
import sys

import component_resolver_client
from component_resolver_client import Client
from component_resolver_client.api.catalog import describe_component
from component_resolver_client.api.components import get_component, resolve
from component_resolver_client.models import ResolveRequest

for module in pkgutil.walk_packages(component_resolver_client.__path__, "component_resolver_client."):
    importlib.import_module(module.name)

client = Client(base_url=sys.argv[1])
prompt = get_component.sync("prompts", "extraction", "production", client=client)
missing = get_component.sync("prompts", "extraction", "nowhere", client=client)
snapshot = resolve.sync(client=client, body=ResolveRequest(refs=["prompts/extraction@production"]))
described = describe_component.sync("prompts", "extraction", client=client)
print(
    json.dumps(
        {
            "text": prompt.payload.read().decode(),
            "code": missing.code.value,
            "version": snapshot.resolved[0].version,
            "versions": [one.version for one in described.versions],
        }
    )
)
