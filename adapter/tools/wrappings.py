"""What models put around the input of a tool that has a grammar: a fence, a shell, JSON once more.

Such an input begins in a way that no grammar of a patch or a program begins in, so what is around
it can be taken off. A tool without a grammar takes any text, and gets it as it is.
"""

import re

import msgspec

_FENCE = re.compile(r"\s*```[\w+-]*[ \t]*\n(?P<inside>.*?)\n?```\s*", re.DOTALL)
_SHELL = re.compile(
    r"\s*(?:/(?:usr/)?bin/)?(?:ba|z)?sh\s+-l?c\s+(?P<quote>[\"'])(?P<inside>.*)(?P=quote)\s*",
    re.DOTALL,
)
_HEREDOC = r"\s*{tool}\s*<<-?\s*(?P<quote>[\"']?)(?P<end>\w+)(?P=quote)[ \t]*\n(?P<inside>.*?\n?)(?P=end)\s*"
_SHELLS = ("bash ", "sh ", "zsh ", "/bin/", "/usr/bin/")
_FIELDS = frozenset({"input", "patch", "code", "command", "cmd", "content", "script", "text"})
_MAX_LAYERS = 4
_MAX_BEGINNING_CHARS = 256  # blanks and all
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_string = msgspec.json.Decoder(str)


def is_wrapped(beginning: str, tool: str) -> bool | None:
    """Tell from its beginning whether something may be around an input; None if it is too short.

    Args:
        beginning: of the input.
        tool: its name.
    """
    found = beginning[:_MAX_BEGINNING_CHARS].lstrip()
    marks = ("```", "{", f"{tool} <", f"{tool}<", *_SHELLS)
    if any(found.startswith(mark) for mark in marks):
        return True
    is_short = len(beginning) < _MAX_BEGINNING_CHARS
    return None if is_short and any(mark.startswith(found) for mark in marks) else False


def unfence(text: str) -> str:
    """Return what is in a code fence, or the text if it is not in one."""
    fenced = _FENCE.fullmatch(text)
    return fenced["inside"] if fenced else text


def unwrap_text(text: str, tool: str) -> str:
    """Return the input without what is around it.

    Args:
        text: the whole input.
        tool: the tool's name.
    """
    for _ in range(_MAX_LAYERS):
        if not is_wrapped(text, tool):
            break
        inside = _unwrap_once(text, tool)
        if inside == text:
            break
        text = inside
    return text


def _unwrap_once(text: str, tool: str) -> str:
    if shell := _SHELL.fullmatch(text):
        here = _heredoc(shell["inside"], tool)
        return text if here is None else here
    here = _heredoc(text, tool)
    if here is not None:
        return here
    return unfence(text) if not text.lstrip().startswith("{") else _field(text)


def _heredoc(text: str, tool: str) -> str | None:
    """Return what a shell would hand to the tool: `apply_patch <<'EOF'` and so on."""
    found = re.fullmatch(_HEREDOC.format(tool=re.escape(tool)), text, re.DOTALL)
    return found["inside"] if found else None


def _field(text: str) -> str:
    try:
        fields = _object.decode(text)
        (name,) = fields
        return _string.decode(fields[name]) if name in _FIELDS else text
    except (msgspec.DecodeError, ValueError, RecursionError):
        return text
