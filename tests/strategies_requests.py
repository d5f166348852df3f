"""Requests that hypothesis draws: valid ones, of which then a few places are spoiled."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

_ODD_TEXTS = st.sampled_from(
    [
        "",
        " ",
        "\0",
        "\ud800",
        "a\r\nb: c",
        "x" * 200,
        "😀\u2028",
        "$ref",
        '{"a":',
        "acme:x",
    ]
)
_TEXTS = st.sampled_from(["a", "Hi", "f"]) | st.text("ab é\n", max_size=5)
_NUMBERS = st.sampled_from([0, 1, -1, 1.5, 2**63, -(2**63) - 1, 10**30, 1e308]) | st.integers()
_LEAVES = st.none() | st.booleans() | _NUMBERS | _TEXTS | _ODD_TEXTS


def _nest(value: Any, levels: int) -> Any:
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


JUNK = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=5,
) | st.builds(_nest, _LEAVES, st.sampled_from([10, 250, 400, 480]))


def _object(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with these fields; of a list, one is chosen."""
    return st.fixed_dictionaries({name: _strategy(field) for name, field in fields.items()})


def _some(**fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with some of these fields."""
    strategies = {name: _strategy(field) for name, field in fields.items()}
    return st.fixed_dictionaries({}, optional=strategies)


def _strategy(field: Any) -> st.SearchStrategy[Any]:
    if isinstance(field, st.SearchStrategy):
        return field
    return st.sampled_from(field) if isinstance(field, list) else st.just(field)


def _lists(*kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.one_of(*kinds), max_size=3)


_TEXT_PART = _object(type=["input_text", "output_text", "text"], text=_TEXTS)
_URLS = ["https://example.org/a.png", "data:image/png;base64,AA=="]
_IMAGE = _object(type="input_image", image_url=_URLS, detail=["low", "original"])
_CONTENT = _TEXTS | _lists(_TEXT_PART, _object(type="refusal", refusal=_TEXTS))
_USER_CONTENT = _CONTENT | _lists(_TEXT_PART, _IMAGE, _object(type="image_url", image_url=_URLS))
_OPEN = st.dictionaries(_TEXTS, JUNK, max_size=2)
_ARGUMENTS = st.sampled_from(["{}", '{"a": 1}', "", "Paris"]) | _OPEN
_SCHEMAS = st.recursive(
    st.sampled_from(
        [
            {"type": "string", "minLength": 1},
            {"$ref": "#"},
            {"$ref": "#/$defs/a"},
            {"const": 1},
            {"enum": ["a"], "default": "a"},
        ]
    ),
    lambda inner: _some(
        type=["object", "array", None],
        properties=st.dictionaries(_TEXTS, inner, max_size=2),
        items=inner,
        anyOf=st.lists(inner, max_size=2),
        **{"$defs": st.dictionaries(st.just("a"), inner)},
        additionalProperties=st.booleans(),
    ),
    max_leaves=4,
)

_FUNCTION = _object(name=["f", "g", "a.b"], parameters=_SCHEMAS, strict=st.booleans())
_TOOLS = [
    _FUNCTION.map(lambda function: {"type": "function", **function}),
    _FUNCTION.map(lambda function: {"type": "function", "function": function}),
    _object(type="custom", name="w", format=_object(type="grammar", syntax="lark", definition="a")),
    _object(type="namespace", name="n", tools=_lists(_object(type="function", name=["f", "g"]))),
    _object(type="tool_search", execution="client", parameters=_SCHEMAS),
    _object(type=["shell", "local_shell", "apply_patch", "computer"]),
    _object(type=["web_search", "mcp"], x=_OPEN),
]


@st.composite
def _tools(draw: st.DrawFn) -> list[Any]:
    """Draw tools of which no two have one name."""
    tools = draw(st.lists(st.one_of(_TOOLS), max_size=4))
    names = [
        str(tool.get("name") or tool.get("function", tool).get("name", tool)) for tool in tools
    ]
    return [tool for place, tool in enumerate(tools) if names[place] not in names[:place]]


# Calls, each with its output.
_CALLS = [
    (
        _object(type="function_call", name=["f", "a.b"], arguments=_ARGUMENTS),
        _object(type="function_call_output", output=_USER_CONTENT),
    ),
    (
        _object(type="custom_tool_call", name="w", input=_TEXTS),
        _object(type="custom_tool_call_output", output=_CONTENT),
    ),
    (
        _object(type=["shell_call", "local_shell_call"], action=_OPEN),
        _object(
            type="shell_call_output",
            output=_lists(_object(stdout=_TEXTS, stderr=_TEXTS, outcome=_OPEN)),
        ),
    ),
    (
        _object(type="apply_patch_call", operation=_OPEN),
        _object(type="apply_patch_call_output", status="failed"),
    ),
    (
        _object(type="tool_search_call", arguments=_ARGUMENTS),
        _object(type="tool_search_output", tools=_tools()),
    ),
    (
        _object(type="computer_call", actions=_lists(_OPEN)),
        _object(type="computer_call_output", output=_object(image_url=_URLS)),
    ),
]
_SINGLE = st.one_of(
    _object(role="user", content=_USER_CONTENT),
    _object(type="message", role=["assistant", "system", "developer"], content=_CONTENT),
    _object(type="reasoning", summary=_lists(_object(type="summary_text", text=_TEXTS))),
    _object(type=["web_search_call", "acme:x"], x=_OPEN),
    _object(type="additional_tools", tools=_tools()),
)


@st.composite
def _items(draw: st.DrawFn) -> list[Any]:
    items: list[Any] = [{"role": "user", "content": "Hi"}]
    for number in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            items.append(draw(_SINGLE))
        else:
            pair = draw(st.sampled_from(_CALLS))
            items += [{**draw(each), "call_id": f"c{number}"} for each in pair]
    return items


_SCHEMA_FORMAT = _object(type="json_schema", name="n", schema=_SCHEMAS, strict=st.booleans())
_FIELDS = _some(
    instructions=_TEXTS,
    temperature=[0, 1, None],
    max_output_tokens=[1, 16],
    top_logprobs=[0, 20],
    include=_lists(st.just("message.output_text.logprobs")),
    tools=_tools(),
    tool_choice=["auto", "none", None],
    parallel_tool_calls=st.booleans(),
    text=_some(format=_object(type=["text", "json_object"]) | _SCHEMA_FORMAT, verbosity="low"),
    response_format=_object(type="json_schema", json_schema=_object(schema=_SCHEMAS)),
    reasoning=_some(effort=["none", "minimal", "high", "max"], summary="auto"),
    metadata=st.dictionaries(_TEXTS, _TEXTS, max_size=2),
    user=_TEXTS,
    seed=_NUMBERS,
    stop=_TEXTS,
    chat_template_kwargs=JUNK,
    reasoning_effort=JUNK,
    stream=st.booleans(),
    unheard_of=JUNK,
    extras=JUNK,
    model=["tiny", "org/model:free"],
)


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything inside a value, but not of what is nested deeply."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    places = []
    for key, child in inner:
        places.append((*at, key))
        if isinstance(child, dict | list) and len(at) < 8:
            places += _places(child, (*at, key))
    return places


def _spoil(draw: st.DrawFn, request: dict[str, Any]) -> None:
    """Put something else in one place, or take away what is there."""
    *path, last = draw(st.sampled_from(_places(request)))
    target: Any = request
    for key in path:
        target = target[key]
    if draw(st.booleans()):
        target[last] = draw(JUNK)
    else:
        del target[last]


@st.composite
def request_bodies(draw: st.DrawFn) -> bytes:
    """Draw a body: a request, perhaps spoiled, with fields that come twice, and with blanks."""
    request = {"model": "tiny", "input": draw(_items() | _TEXTS), **draw(_FIELDS)}
    request = json.loads(json.dumps(request))  # a copy in which no two places share a value
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        if request:
            _spoil(draw, request)
    pairs: Sequence[tuple[str, Any]] = [*request.items()]
    if pairs and draw(st.integers(0, 5)) == 0:
        pairs = [draw(st.sampled_from(pairs)), *pairs]
    between = draw(st.sampled_from([",", ",\n", " ,\r\n\t"]))
    text = between.join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in pairs)
    return f"{{{text}}}".encode()
