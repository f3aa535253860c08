"""Writes what is derived from the models: the browser's types and checks, and JSON Schema files.

Run ``python protocol/generate.py`` after a change of the models; a test fails until then.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from strapline_protocol.messages import METHODS, ClientMessage, ServerMessage
from strapline_protocol.metrics import METRICS

sys.path.insert(0, str(Path(__file__).parent))  # the generator is no part of the distribution
import typescript

ROOT: Final = Path(__file__).parents[1]

_HEAD: Final = """\
// Generated from strapline_protocol by protocol/generate.py. Do not edit.

const isRecord = (m: any): boolean => typeof m === "object" && m !== null && !Array.isArray(m);
"""


class _Untitled(GenerateJsonSchema):
    """Without titles, which repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # pydantic's signature
        return False


def _schema(model: Any) -> JsonSchemaValue:
    return TypeAdapter(model).json_schema(schema_generator=_Untitled)


def schemas() -> dict[str, JsonSchemaValue]:
    """The JSON Schemas by file name: one a direction, and one a method's question and answer."""
    found = {"client-message": _schema(ClientMessage), "server-message": _schema(ServerMessage)}
    for name, method in METHODS.items():
        found[f"{name}-params"] = _schema(method.params)
        found[f"{name}-result"] = _schema(method.result)
    return found


def messages_ts() -> str:
    """``messages.ts``: all models, both unions, and checks of what a browser receives."""
    client, server = _schema(ClientMessage), _schema(ServerMessage)
    definitions: dict[str, typescript.Schema] = {**client["$defs"], **server["$defs"]}
    received = typescript.members(server)
    for method in METHODS.values():
        for model in (method.params, method.result):
            schema = _schema(model)
            definitions |= schema.pop("$defs", {})
            definitions[model.__name__] = schema
        received.append(method.result.__name__)
    checked = sorted(typescript.reachable(definitions, received))
    metrics = "".join(
        f'  {metric.name}: {{ unit: "{metric.unit}", freshForMs: {metric.fresh_for_ms} }},\n'
        for metric in METRICS.values()
    )
    return "\n".join(
        [
            _HEAD,
            *(typescript.declaration(name, definitions[name]) for name in sorted(definitions)),
            typescript.union("ClientMessage", client),
            typescript.union("ServerMessage", server),
            *(typescript.check(name, definitions[name]) for name in checked),
            typescript.union_check("ServerMessage", server),
            "/** The metrics that this version knows. */",
            f"export const METRICS = {{\n{metrics}}};\n",
        ]
    )


def rendered() -> dict[Path, str]:
    """Every derived file with what it should hold."""
    folder = ROOT / "docs/reference/schema"
    files = {folder / f"{n}.json": json.dumps(s, indent=2) + "\n" for n, s in schemas().items()}
    return {ROOT / "web/src/protocol/messages.ts": messages_ts(), **files}


if __name__ == "__main__":
    for path, text in rendered().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
