"""What hypothesis draws: answers of chat servers in all their habits, and requests of clients.

A drawn answer knows what it says (`ChatAnswer.text`, `calls`, …), so that a test can look for it in
the events. Requests are near to valid: most of their parts fit, and some do not.
"""

import json
from typing import Any, NamedTuple

from hypothesis import strategies as st

# Letters that are cut into several bytes, nearly make a tag, end lines for some readers, or hide.
TEXT_LETTERS = 'ab1 \n\t<>/thi{}"\\é\u2028\u0085😀\0\ufeff中'
TEXTS = st.text(TEXT_LETTERS, max_size=12)
_NAMES = st.sampled_from(["f", "get_weather", "g-2"])
_JSON_LEAVES = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(TEXT_LETTERS, max_size=5)
)
JSON_VALUES = st.recursive(
    _JSON_LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
_ARGUMENTS = st.dictionaries(st.text("abc", max_size=3), JSON_VALUES, max_size=3).map(json.dumps)
FINISH_REASONS = st.sampled_from(
    ["stop", "tool_calls", "length", "content_filter", "eos", "sensitive", "function_call"]
)


class Call(NamedTuple):
    """A call that an answer makes."""

    name: str
    arguments: str


class ChatAnswer(NamedTuple):
    """An answer, and what it says.

    Attributes:
        body: its bytes.
        text: all content.
        reasoning: all reasoning.
        refusal: all refusals.
        calls: all calls.
        is_whole: it ends as it should; otherwise it was cut off.
    """

    body: bytes
    text: str
    reasoning: str
    refusal: str
    calls: list[Call]
    is_whole: bool


class _Draft:
    """The deltas of an answer while it is drawn."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.deltas: list[dict[str, Any]] = []
        self.said: dict[str, list[str]] = {"text": [], "reasoning": [], "refusal": []}
        self.calls: list[Call] = []

    def pick(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def pieces(self, text: str) -> list[str]:
        """Cut a text at any places."""
        places = sorted(self.draw(st.lists(st.integers(0, len(text)), max_size=4)))
        return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]

    def say(self, kind: str, field: str, text: str) -> None:
        self.said[kind].append(text)
        self.deltas += [{field: piece} for piece in self.pieces(text)]


@st.composite
def chat_answers(draw: st.DrawFn, *, cut: bool | None = None) -> ChatAnswer:
    """Draw a streamed answer.

    Args:
        draw: of hypothesis.
        cut: whether the answer is cut off; by default either.
    """
    draft = _Draft(draw)
    if draw(st.booleans()):
        draft.deltas.append({"role": "assistant", "content": draft.pick("", None)})
    _draw_thought(draft)
    for _ in range(draw(st.integers(0, 3))):
        match draft.pick("text", "refusal", "calls", "blank", "thought"):
            case "text":
                draft.say("text", "content", draw(TEXTS))
            case "refusal":
                draft.say("refusal", "refusal", draw(TEXTS))
            case "calls" if not draft.calls:
                _draw_calls(draft)
            case "thought":
                draft.say("reasoning", "reasoning_content", draw(TEXTS))
            case _:
                draft.deltas.append(draft.pick({"content": "\n\n"}, {}, {"reasoning": " "}))
    is_cut = draw(st.booleans()) if cut is None else cut
    return ChatAnswer(
        _draw_body(draft, is_cut=is_cut),
        "".join(draft.said["text"]),
        "".join(draft.said["reasoning"]),
        "".join(draft.said["refusal"]),
        draft.calls,
        not is_cut,
    )


def _draw_thought(draft: _Draft) -> None:
    text = draft.draw(TEXTS)
    match draft.pick("none", "reasoning", "reasoning_content", "tags", "details", "parts"):
        case "reasoning" | "reasoning_content" as field:
            draft.say("reasoning", field, text)
        case "tags":
            draft.said["reasoning"].append(text)
            answer = draft.draw(TEXTS)
            draft.said["text"].append(answer)
            whole = f"{draft.pick('', ' ')}<think>{text}</think>{answer}"
            draft.deltas += [{"content": piece} for piece in draft.pieces(whole)]
        case "details":
            draft.said["reasoning"].append(text)
            draft.deltas += [{"reasoning_details": [{"text": each}]} for each in draft.pieces(text)]
        case "parts":
            draft.said["reasoning"].append(text)
            part = {"type": "thinking", "thinking": [{"type": "text", "text": text}]}
            draft.deltas.append({"content": [part]})


def _draw_calls(draft: _Draft) -> None:
    """Draw calls as one of the kinds of servers would send them."""
    habit = draft.pick("openai", "interleaved", "no ids", "no index", "neither", "index 0", "old")
    count = 1 if habit == "old" else draft.draw(st.integers(1, 3))
    calls = [Call(draft.draw(_NAMES), draft.draw(_ARGUMENTS)) for _ in range(count)]
    draft.calls = calls
    fragments = [_fragments(draft, habit, number, call) for number, call in enumerate(calls)]
    if habit == "interleaved":
        draft.calls = _interleave(draft, calls, fragments)
    elif habit == "old":
        draft.deltas += [{"function_call": each["function"]} for each in fragments[0]]
    elif draft.draw(st.booleans()):
        draft.deltas += [{"tool_calls": [each]} for call in fragments for each in call]
    else:
        draft.deltas.append({"tool_calls": [each for call in fragments for each in call]})


def _interleave(
    draft: _Draft, calls: list[Call], fragments: list[list[dict[str, Any]]]
) -> list[Call]:
    """Send the fragments of all calls in any order, and return the calls in that of first sight."""
    queues = dict(enumerate(fragments))
    seen: dict[int, Call] = {}
    while queues:
        number = draft.draw(st.sampled_from(sorted(queues)))
        seen.setdefault(number, calls[number])
        fragment, *rest = queues.pop(number)
        draft.deltas.append({"tool_calls": [fragment]})
        if rest:
            queues[number] = rest
    return list(seen.values())


def _fragments(draft: _Draft, habit: str, number: int, call: Call) -> list[dict[str, Any]]:
    pieces = draft.pieces(call.arguments)
    # Without an index and an id, only a name tells that a call begins.
    name_at = draft.draw(st.integers(0, len(pieces))) if habit in {"openai", "interleaved"} else 0
    fragments = []
    for place, piece in enumerate([*pieces, ""]):
        function: dict[str, Any] = {"arguments": piece}
        if place == name_at:
            function["name"] = call.name
        fragment: dict[str, Any] = {"function": function}
        if habit not in {"no index", "neither"}:
            fragment["index"] = 0 if habit == "index 0" else number
        if habit in {"openai", "interleaved", "no index", "index 0"} and place == 0:
            fragment["id"] = f"call_{number}"
        fragments.append(fragment)
    return fragments


def _draw_body(draft: _Draft, *, is_cut: bool) -> bytes:
    chunks = [_chunk(draft, delta) for delta in draft.deltas] or [_chunk(draft, {})]
    has_finish = not is_cut and draft.draw(st.booleans())
    if has_finish:
        chunks.append(_chunk(draft, {}))
        chosen = draft.pick(-1, max(-2, -len(chunks)))  # with the last words, or behind them
        for chunk in chunks[chosen:]:
            chunk["choices"][0]["finish_reason"] = draft.draw(FINISH_REASONS)
    _draw_usage(draft, chunks)
    ascii_only = draft.draw(st.booleans())
    data = [json.dumps(chunk, ensure_ascii=ascii_only).encode() for chunk in chunks]
    if not is_cut and (not has_finish or draft.draw(st.booleans())):
        data.append(b"[DONE]")
    return _frame(draft, data)


def _chunk(draft: _Draft, delta: dict[str, Any]) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": 0, "delta": delta}
    if draft.draw(st.booleans()):
        choice |= {"finish_reason": None, "logprobs": None}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [choice]}


def _draw_usage(draft: _Draft, chunks: list[dict[str, Any]]) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    match draft.pick("none", "trailer", "finish", "every", "null", "choice"):
        case "trailer":
            chunks.append({"choices": [], "usage": usage})
        case "finish":
            chunks[-1]["usage"] = usage
        case "every":
            for chunk in chunks:
                chunk["usage"] = {"prompt_tokens": 3, "prompt_tokens_details": None}
        case "null":
            chunks[0]["usage"] = None
        case "choice":
            chunks[-1]["choices"][0]["usage"] = usage


def _frame(draft: _Draft, data: list[bytes]) -> bytes:
    end = draft.pick(b"\n", b"\r\n", b"\r")
    space = draft.pick(b" ", b"")
    body = bytearray(draft.pick(b"", b"\xef\xbb\xbf"))
    for each in data:
        body += draft.pick(b"", b"", b": wait" + end + end, end, b"event: ping" + end + end)
        body += b"data:" + space + each + end + end
    return bytes(body)


@st.composite
def cuts(draw: st.DrawFn, body: bytes) -> list[bytes]:
    """Cut bytes into reads at any places."""
    places = sorted(draw(st.lists(st.integers(0, len(body)), max_size=12)))
    return [body[a:b] for a, b in zip([0, *places], [*places, len(body)], strict=True)]


@st.composite
def broken(draw: st.DrawFn, body: bytes) -> bytes:
    """Change a few bytes of a body, take some out, or put some in."""
    mutable = bytearray(body)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(mutable)))
        length = draw(st.integers(0, 3))
        mutable[place : place + length] = draw(st.binary(max_size=3))
    return bytes(mutable)
