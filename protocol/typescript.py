"""JSON Schema to TypeScript: an interface and a checking function for each model.

A keyword that is not understood raises, so that a model cannot grow a rule that the browser
silently misses.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

Schema = dict[str, Any]
_SAFE: Final = 2**53 - 1  # the browser has a test of its own for it

#: Understood and left to the server, which checked before it sent: here they only cost bytes.
_NOT_CHECKED: Final = frozenset({"maxItems", "maxLength", "maxProperties", "minLength", "pattern"})
_UNDERSTOOD: Final = _NOT_CHECKED | {
    "$ref", "additionalProperties", "anyOf", "const", "default", "description", "discriminator",
    "enum", "items", "maximum", "minItems", "minimum", "oneOf", "patternProperties",
    "prefixItems", "properties", "required", "title", "type", "x-told-by",
}  # fmt: skip


def declaration(name: str, schema: Schema) -> str:
    """An interface, or a type where the schema is no object with fields."""
    _understand(schema)
    comment = (
        f"/** {' '.join(schema['description'].split())} */\n" if "description" in schema else ""
    )
    if "properties" not in schema:
        return f"{comment}export type {name} = {_type(schema)};\n"
    fields = "".join(
        f"  {field}{'' if field in _required(schema) else '?'}: {_type(inner)};\n"
        for field, inner in schema["properties"].items()
    )
    return f"{comment}export interface {name} {{\n{fields}}}\n"


def check(name: str, schema: Schema) -> str:
    """``isName(m)``: whether a value parsed from JSON has the declared shape."""
    if "properties" not in schema:
        condition = _condition(schema, "m")
        if condition == "true":
            # An open type; TypeScript refuses a parameter that nothing looks at.
            return f"export const is{name} = (_m: any): _m is {name} => true;\n"
        return f"export const is{name} = (m: any): m is {name} => {condition};\n"
    conditions = ["isRecord(m)"]
    for field, inner in schema["properties"].items():
        condition = _condition(inner, f"m.{field}")
        if field not in _required(schema):
            condition = f"m.{field} === undefined || {condition}"
        if condition != "true":
            conditions.append(f"({condition})" if " || " in condition else condition)
    body = " &&\n  ".join(conditions)
    return f"export const is{name} = (m: any): m is {name} =>\n  {body};\n"


def union(name: str, schema: Schema) -> str:
    """The type of all messages of one direction."""
    return f"export type {name} =\n  | " + "\n  | ".join(members(schema)) + ";\n"


def union_check(name: str, schema: Schema) -> str:
    """``isName(m)`` of a union, by its tag."""
    cases = "".join(
        f"    case {json.dumps(tag)}:\n      return is{_name(reference)}(m);\n"
        for tag, reference in schema["discriminator"]["mapping"].items()
    )
    return (
        f"/** Whether something parsed from a frame is a message that this version knows. */\n"
        f"export function is{name}(m: any): m is {name} {{\n"
        f"  switch (m?.{schema['discriminator']['propertyName']}) {{\n{cases}"
        f"    default:\n      return false;\n  }}\n}}\n"
    )


def members(schema: Schema) -> list[str]:
    """The names of a union's models."""
    return [_name(member["$ref"]) for member in schema["oneOf"]]


def reachable(definitions: dict[str, Schema], roots: Iterable[str]) -> set[str]:
    """The models that these are made of, themselves among them."""
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_references(definitions[name]))
    return found


def _references(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [_name(str(schema["$ref"]))] if "$ref" in schema else []
        return own + [name for value in schema.values() for name in _references(value)]
    if isinstance(schema, list):
        return [name for value in schema for name in _references(value)]
    return []


def _name(reference: str) -> str:
    return reference.rsplit("/", 1)[1]


def _understand(schema: Schema) -> None:
    unknown = schema.keys() - _UNDERSTOOD
    if unknown:
        raise ValueError(f"JSON Schema keywords that this generator does not know: {unknown}")


def _required(schema: Schema) -> set[str]:
    # A message's type has a default for Python's convenience only.
    names = {str(name) for name in schema.get("required", ())}
    return names | ({"type"} & set(schema["properties"]))


def _values(schema: Schema) -> Schema | None:
    """The schema of an open object's values; None when they may be anything."""
    patterns = list(schema.get("patternProperties", {}).values())
    values: Schema | bool = patterns[0] if patterns else schema.get("additionalProperties", True)
    return values if isinstance(values, dict) and values else None


def _type(schema: Schema) -> str:
    _understand(schema)
    match schema:
        case {"$ref": reference}:
            return _name(reference)
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return " | ".join(map(json.dumps, values))
        case {"anyOf": options} | {"oneOf": options}:
            return " | ".join(dict.fromkeys(map(_type, options)))
        case {"type": "array"}:
            return _array_type(schema)
        case {"type": str(kind)} if kind != "object":
            return "number" if kind == "integer" else kind
    values = _values(schema)
    return f"Record<string, {_type(values) if values else 'unknown'}>" if schema else "unknown"


def _array_type(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(map(_type, schema['prefixItems']))}]"
    inner = _type(schema["items"])
    return f"({inner})[]" if "|" in inner else f"{inner}[]"


def _condition(schema: Schema, value: str) -> str:
    _understand(schema)
    if "type" in schema and "const" not in schema and "enum" not in schema:
        return _typed_condition(schema, value)
    match schema:
        case {"$ref": reference}:
            return f"is{_name(reference)}({value})"
        case {"const": constant}:
            return f"{value} === {json.dumps(constant)}"
        case {"enum": values}:
            return "(" + " || ".join(f"{value} === {json.dumps(one)}" for one in values) + ")"
        case {"x-told-by": told, "oneOf": options}:
            return _told_condition(told, [_name(option["$ref"]) for option in options], value)
        case {"anyOf": options} | {"oneOf": options}:
            return "(" + " || ".join(_condition(option, value) for option in options) + ")"
    return "true"


def _told_condition(told: dict[str, str], names: list[str], value: str) -> str:
    """Objects that are known by having a field, and one that has none of these."""
    (rest,) = set(names) - set(told.values())
    choices = "".join(
        f'"{field}" in {value} ? is{name}({value}) : ' for field, name in told.items()
    )
    return f"(isRecord({value}) && ({choices}is{rest}({value})))"


def _typed_condition(schema: Schema, value: str) -> str:
    match schema["type"]:
        case "array":
            return _array_condition(schema, value)
        case "integer" | "number":
            return _number_condition(schema, value)
        case "object":
            return _object_condition(schema, value)
        case "null":
            return f"{value} === null"
        case kind:
            return f'typeof {value} === "{kind}"'


def _array_condition(schema: Schema, value: str) -> str:
    conditions = [f"Array.isArray({value})"]
    if "prefixItems" in schema:
        items = schema["prefixItems"]
        conditions.append(f"{value}.length === {len(items)}")
        conditions += [_condition(item, f"{value}[{at}]") for at, item in enumerate(items)]
    else:
        if schema.get("minItems"):
            conditions.append(f"{value}.length >= {schema['minItems']}")
        conditions.append(f"{value}.every((i: any) => {_condition(schema['items'], 'i')})")
    return " && ".join(conditions)


def _number_condition(schema: Schema, value: str) -> str:
    integer = schema["type"] == "integer"
    low, high = schema.get("minimum", -_SAFE), schema.get("maximum", _SAFE)
    conditions = [f"Number.{'isSafeInteger' if integer else 'isFinite'}({value})"]
    if low != -_SAFE:
        conditions.append(f"{value} >= {low}")
    if high != _SAFE:
        conditions.append(f"{value} <= {high}")
    return " && ".join(conditions)


def _object_condition(schema: Schema, value: str) -> str:
    values = _values(schema)
    if values is None:
        return f"isRecord({value})"
    each = _condition(values, "i")
    return f"isRecord({value}) && Object.values({value}).every((i: any) => {each})"
