"""Hypothesis strategies for all that may stand on the wire, made from the models' JSON Schemas."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from hypothesis import strategies as st
from pydantic import TypeAdapter

from strapline_protocol.base import SAFE_INTEGER
from strapline_protocol.series import Series, TimedSeries, differences

Json = Any
Strategy = st.SearchStrategy[Json]
Schema = dict[str, Any]

SAFE_INTEGERS: Final = st.integers(-SAFE_INTEGER, SAFE_INTEGER)
SAFE_FLOATS: Final = st.floats(-SAFE_INTEGER, SAFE_INTEGER, allow_nan=False)
NUMBERS: Final = SAFE_INTEGERS | SAFE_FLOATS
TEXT: Final = st.text(st.characters(codec="utf-8"), max_size=12)
ANYTHING: Final[Strategy] = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
CONTENT: Final = st.dictionaries(TEXT, ANYTHING, max_size=3)
#: Columns that no version of this repository knows.
UNKNOWN_NAMES: Final = st.sampled_from(["oxygen", "newColumn", "x1", "self", "numbers", "take"])


@cache
def wire(model: Any) -> Strategy:
    """Objects as they may stand in a frame: what a model, or a union of models, allows."""
    if isinstance(model, type) and model.__name__ in _SPECIAL:
        return _SPECIAL[model.__name__]()
    schema = TypeAdapter(model).json_schema()
    return _Maker(schema.get("$defs", {})).of(schema)


@st.composite
def columns(draw: st.DrawFn, time: str) -> Json:
    """A series with ``time`` for the name of its time column."""
    length = draw(st.integers(1, 5))

    def column(entries: Strategy) -> Strategy:
        return st.lists(st.none() | entries, min_size=length, max_size=length)

    steps = draw(st.lists(st.integers(1, 9), min_size=length - 1, max_size=length - 1))
    moments = st.integers(0, SAFE_INTEGER) if time == "atMs" else SAFE_INTEGERS
    half = st.integers(-SAFE_INTEGER // 2, SAFE_INTEGER // 2)
    near = st.lists(half | st.integers(-9, 9), min_size=length, max_size=length)
    times = draw(near) if length > 1 else [draw(moments)]
    optional: dict[str, Strategy] = {
        "rr": column(st.lists(st.integers(0, 65_535), max_size=3)),
        "contact": column(st.booleans()),
        "energyKj": column(st.integers(0, SAFE_INTEGER)),
        "quality": column(st.lists(st.sampled_from(["zero", "noContact"]), max_size=2)),
        "counter": st.fixed_dictionaries({"id": st.just("c1"), "from": st.integers(0, 2**32)}),
        "onChange": st.booleans(),
    }
    unknown = st.dictionaries(UNKNOWN_NAMES, column(ANYTHING) | NUMBERS, max_size=2)
    return {
        "user": draw(st.sampled_from(["ada", "b@x.example"])),
        "device": "d-1",
        "metric": draw(st.sampled_from(["heart_rate", "steps", "something_new"])),
        "seq": [draw(st.integers(0, SAFE_INTEGER - 99)), *steps],
        time: differences(times),
        "value": draw(column(NUMBERS)),
        **draw(st.fixed_dictionaries({}, optional=optional)),
        **draw(unknown),
    }


def series() -> st.SearchStrategy[Series]:
    """Series as a bridge takes them."""
    return columns("elapsedMs").map(Series.model_validate)


@st.composite
def timed(draw: st.DrawFn) -> Json:
    """A series as a viewer gets it."""
    body = draw(columns("atMs"))
    body |= {"receivedMs": draw(st.integers(0, SAFE_INTEGER)), "timeSource": "system"}
    if draw(st.booleans()):
        body["serverMarks"] = [None] * len(body["seq"])
    return TimedSeries.model_validate(body).model_dump(mode="json", by_alias=True)


@st.composite
def zeros(draw: st.DrawFn) -> Json:
    """A stream's wall time, with anchors that ascend."""
    moments = draw(st.lists(SAFE_INTEGERS, min_size=1, max_size=4, unique=True))
    sources = st.sampled_from(["system", "server", "serverUnsynchronised", "estimate"])
    return {
        "version": draw(st.integers(0, 9)),
        "anchors": [
            {
                "elapsedMs": moment,
                "wallMs": draw(st.integers(0, SAFE_INTEGER)),
                "uncertaintyMs": draw(st.integers(0, 9_999)),
                "source": draw(sources),
            }
            for moment in sorted(moments)
        ],
    }


#: Models whose fields depend on one another, which a schema cannot say.
_SPECIAL: Final[dict[str, Callable[[], Strategy]]] = {
    "Series": lambda: columns("elapsedMs"),
    "TimedSeries": timed,
    "Zero": zeros,
}


class _Maker:
    def __init__(self, definitions: dict[str, Schema]) -> None:
        self._definitions = definitions

    def of(self, schema: Schema) -> Strategy:
        match schema:
            case {"$ref": reference}:
                return self._named(reference.rsplit("/", 1)[1])
            case {"const": constant}:
                return st.just(constant)
            case {"enum": values}:
                return st.sampled_from(values)
            case {"anyOf": options} | {"oneOf": options}:
                return st.one_of([self.of(option) for option in options])
            case {"type": str(kind)}:
                return getattr(self, f"_{kind}")(schema)  # type: ignore[no-any-return]  # by name
        return ANYTHING

    def _named(self, name: str) -> Strategy:
        if name in _SPECIAL:
            return _SPECIAL[name]()
        return st.deferred(lambda: self.of(self._definitions[name]))

    def _null(self, _: Schema) -> Strategy:
        return st.none()

    def _boolean(self, _: Schema) -> Strategy:
        return st.booleans()

    def _integer(self, schema: Schema) -> Strategy:
        return st.integers(
            schema.get("minimum", -SAFE_INTEGER), schema.get("maximum", SAFE_INTEGER)
        )

    def _number(self, _: Schema) -> Strategy:
        return NUMBERS

    def _string(self, schema: Schema) -> Strategy:
        if "pattern" in schema:
            pattern = schema["pattern"].removeprefix("^").removesuffix("$")
            return st.from_regex(pattern, fullmatch=True)
        return TEXT

    def _array(self, schema: Schema) -> Strategy:
        if "prefixItems" in schema:
            items = schema["prefixItems"]
            pair = st.tuples(*map(self.of, items)).map(list)
            # Two numbers are a range everywhere on this wire.
            ordered = all(item.get("type") == "integer" for item in items)
            return pair.map(sorted) if ordered else pair
        return st.lists(self.of(schema["items"]), min_size=schema.get("minItems", 0), max_size=3)

    def _object(self, schema: Schema) -> Strategy:
        if "properties" not in schema:
            return self._dictionary(schema)
        required = set(schema.get("required", ())) | ({"type"} & schema["properties"].keys())
        fields = {name: self.of(inner) for name, inner in schema["properties"].items()}
        return st.fixed_dictionaries(
            {name: inner for name, inner in fields.items() if name in required},
            optional={name: inner for name, inner in fields.items() if name not in required},
        )

    def _dictionary(self, schema: Schema) -> Strategy:
        patterns = schema.get("patternProperties", {})
        if patterns:
            ((pattern, inner),) = patterns.items()
            return st.dictionaries(self._string({"pattern": pattern}), self.of(inner), max_size=3)
        values = schema.get("additionalProperties", True)
        inner_values = ANYTHING if values is True else self.of(values)
        return st.dictionaries(TEXT, inner_values, max_size=3)
