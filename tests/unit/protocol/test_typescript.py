"""JSON Schema to TypeScript, keyword by keyword."""

from __future__ import annotations

from typing import Any

import pytest

import typescript

SAFE = 2**53 - 1


def record(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


@pytest.mark.parametrize(
    ("schema", "written", "checked"),
    [
        ({}, "unknown", ""),
        ({"type": "string"}, "string", 'typeof m.x === "string"'),
        ({"type": "boolean"}, "boolean", 'typeof m.x === "boolean"'),
        ({"type": "null"}, "null", "m.x === null"),
        ({"type": "number"}, "number", "Number.isFinite(m.x)"),
        ({"type": "integer"}, "number", "Number.isSafeInteger(m.x)"),
        (
            {"type": "integer", "minimum": 1, "maximum": 9},
            "number",
            "Number.isSafeInteger(m.x) && m.x >= 1 && m.x <= 9",
        ),
        (
            {"type": "integer", "minimum": -SAFE, "maximum": SAFE},
            "number",
            "Number.isSafeInteger(m.x)",
        ),
        ({"const": "A", "type": "string"}, '"A"', 'm.x === "A"'),
        (
            {"enum": ["a", "b"], "type": "string"},
            '"a" | "b"',
            '(m.x === "a" || m.x === "b")',
        ),
        ({"$ref": "#/$defs/Other"}, "Other", "isOther(m.x)"),
        (
            {"anyOf": [{"$ref": "#/$defs/Other"}, {"type": "null"}]},
            "Other | null",
            "(isOther(m.x) || m.x === null)",
        ),
        (
            {"type": "array", "items": {"type": "string"}, "maxItems": 9},
            "string[]",
            'Array.isArray(m.x) && m.x.every((i: any) => typeof i === "string")',
        ),
        (
            {"type": "array", "items": {"anyOf": [{"type": "null"}, {"type": "boolean"}]}},
            "(null | boolean)[]",
            'Array.isArray(m.x) && m.x.every((i: any) => (i === null || typeof i === "boolean"))',
        ),
        (
            {"type": "array", "items": {"type": "null"}, "minItems": 2},
            "null[]",
            "Array.isArray(m.x) && m.x.length >= 2 && m.x.every((i: any) => i === null)",
        ),
        (
            {"type": "array", "prefixItems": [{"type": "null"}, {"type": "null"}]},
            "[null, null]",
            "Array.isArray(m.x) && m.x.length === 2 && m.x[0] === null && m.x[1] === null",
        ),
        (
            {"type": "object", "additionalProperties": True},
            "Record<string, unknown>",
            "isRecord(m.x)",
        ),
        (
            {"type": "object", "additionalProperties": {"type": "null"}},
            "Record<string, null>",
            "isRecord(m.x) && Object.values(m.x).every((i: any) => i === null)",
        ),
        (
            {"type": "object", "patternProperties": {"^a$": {"$ref": "#/$defs/Other"}}},
            "Record<string, Other>",
            "isRecord(m.x) && Object.values(m.x).every((i: any) => isOther(i))",
        ),
        (
            {
                "oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
                "x-told-by": {"a": "A"},
            },
            "A | B",
            '(isRecord(m.x) && ("a" in m.x ? isA(m.x) : isB(m.x)))',
        ),
    ],
    ids=[
        "anything",
        "string",
        "boolean",
        "null",
        "number",
        "integer",
        "bounded",
        "safe",
        "const",
        "enum",
        "reference",
        "optional",
        "array",
        "array of either",
        "array of two or more",
        "tuple",
        "open object",
        "object of nulls",
        "object by pattern",
        "told by a field",
    ],
)
def test_each_keyword_has_its_type_and_its_check(
    schema: dict[str, Any], written: str, checked: str
) -> None:
    assert typescript.declaration("T", record(x=schema)) == (
        f"export interface T {{\n  x: {written};\n}}\n"
    )
    # A condition of alternatives stands in brackets among those of the other fields.
    alone = f"({checked})" if " || " in checked else checked
    condition = f" &&\n  {alone}" if checked else ""
    assert typescript.check("T", record(x=schema)) == (
        f"export const isT = (m: any): m is T =>\n  isRecord(m){condition};\n"
    )


@pytest.mark.parametrize("keyword", ["multipleOf", "not", "format", "if", "uniqueItems"])
@pytest.mark.parametrize("nested", [False, True])
def test_a_keyword_that_is_not_understood_raises(keyword: str, nested: bool) -> None:
    rule: dict[str, Any] = {"type": "string", keyword: 1}
    schema = record(x={"type": "array", "items": rule}) if nested else {**record(), keyword: 1}
    with pytest.raises(ValueError, match=f"does not know.*{keyword}"):
        typescript.declaration("T", schema)
    if nested:
        with pytest.raises(ValueError, match=f"does not know.*{keyword}"):
            typescript.check("T", schema)


def test_a_field_that_may_be_absent_is_optional_and_a_type_never_is() -> None:
    schema = {**record(type={"const": "A"}, x={"type": "null"}), "required": []}
    assert typescript.declaration("T", schema) == (
        'export interface T {\n  type: "A";\n  x?: null;\n}\n'
    )
    assert typescript.check("T", schema) == (
        'export const isT = (m: any): m is T =>\n  isRecord(m) &&\n  m.type === "A" &&\n'
        "  (m.x === undefined || m.x === null);\n"
    )


def test_a_description_is_one_line() -> None:
    schema = {**record(), "description": "One\n\ntwo   three."}
    assert typescript.declaration("T", schema).startswith("/** One two three. */\n")


def test_what_is_no_object_is_a_type() -> None:
    schema = {"enum": ["a", "b"], "type": "string"}
    assert typescript.declaration("T", schema) == 'export type T = "a" | "b";\n'
    assert typescript.check("T", schema) == (
        'export const isT = (m: any): m is T => (m === "a" || m === "b");\n'
    )


def test_a_union_is_checked_by_its_tag() -> None:
    schema = {
        "oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
        "discriminator": {
            "propertyName": "type",
            "mapping": {"A_A": "#/$defs/A", "B_B": "#/$defs/B"},
        },
    }
    assert typescript.members(schema) == ["A", "B"]
    assert typescript.union("U", schema) == "export type U =\n  | A\n  | B;\n"
    written = typescript.union_check("U", schema)
    assert 'case "A_A":\n      return isA(m);' in written
    assert "switch (m?.type)" in written
    assert "default:\n      return false;" in written


def test_only_what_is_reachable_is_checked() -> None:
    def pointing(name: str) -> dict[str, Any]:
        return record(x={"type": "array", "items": {"$ref": f"#/$defs/{name}"}})

    definitions = {"A": pointing("B"), "B": pointing("A"), "C": pointing("A")}
    assert typescript.reachable(definitions, ["A"]) == {"A", "B"}
