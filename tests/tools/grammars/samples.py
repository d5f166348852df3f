"""Grammars that clients send, and some that only a reader of the whole notation gets right."""

from typing import NamedTuple


class Sample(NamedTuple):
    """A grammar, texts that fit it, and texts that do not."""

    lark: str
    fits: tuple[str, ...]
    unfit: tuple[str, ...]


# What Codex 0.169 sends for apply_patch.
APPLY_PATCH = r"""start: begin_patch hunk+ end_patch
begin_patch: "*** Begin Patch" LF
end_patch: "*** End Patch" LF?

hunk: add_hunk | delete_hunk | update_hunk
add_hunk: "*** Add File: " filename LF add_line+
delete_hunk: "*** Delete File: " filename LF
update_hunk: "*** Update File: " filename LF change_move? change?

filename: /(.+)/
add_line: "+" /(.*)/ LF -> line

change_move: "*** Move to: " filename LF
change: (change_context | change_line)+ eof_line?
change_context: ("@@" | "@@ " /(.+)/) LF
change_line: ("+" | "-" | " ") /(.*)/ LF
eof_line: "*** End of File" LF

%import common.LF
"""

# And for its code mode.
CODE_MODE = r"""
start: pragma_source | plain_source
pragma_source: PRAGMA_LINE NEWLINE SOURCE
plain_source: SOURCE

PRAGMA_LINE: /[ \t]*\/\/ @exec:[^\r\n]*/
NEWLINE: /\r?\n/
SOURCE: /[\s\S]+/
"""

# From OpenAI's guide to custom tools.
ARITHMETIC = """
start: expr
expr: term (SP ADD SP term)* -> add
| term
term: factor (SP MUL SP factor)* -> mul
| factor
factor: INT
SP: " "
ADD: "+"
MUL: "*"
%import common.INT
"""

# As Lark's own tutorial writes it: rules that begin with themselves.
CALCULATOR = """
?start: sum
?sum: product
    | sum "+" product   -> add
    | sum "-" product   -> sub
?product: atom
    | product "*" atom  -> mul
?atom: NUMBER           -> number
     | "-" atom         -> neg
     | NAME             -> var
     | "(" sum ")"
%import common.CNAME -> NAME
%import common.NUMBER
%import common.WS_INLINE
%ignore WS_INLINE
"""

JSON = r"""
// RFC 8259, more or less
start: value
value: object | array | ESCAPED_STRING | SIGNED_NUMBER | "true" | "false" | "null"
array: "[" _list{value} "]"
object: "{" _list{pair} "}"
pair: ESCAPED_STRING ":" value
_list{item}: [item ("," item)*]   # a template
%import common (ESCAPED_STRING, SIGNED_NUMBER)
%import common.WS
%ignore WS
"""

NOTATION = r"""
!start.2: "a".."c" "x"i~2 (DIGITS|[sign])+ tail{"!", "?"}
DIGITS.1: /[0-9]{2}(?# two )/x
sign: "+" | "\u002d" | "\\" | "\""
tail{one, other}: one{1,2} other~0..1 |
"""

SAMPLES = {
    "apply-patch": Sample(
        APPLY_PATCH,
        (
            "*** Begin Patch\n*** Add File: a.py\n+x = 1\n*** End Patch\n",
            "*** Begin Patch\n*** Delete File: é\n*** End Patch",
            "*** Begin Patch\n*** Update File: a\n*** Move to: b\n@@ def f\n-x\n+y\n z\n"
            "*** End of File\n*** End Patch\n",
        ),
        (
            "",
            "*** Begin Patch\n*** End Patch\n",
            "*** Begin Patch\n*** Add File: a\nx\n*** End Patch\n",
            "```\n*** Begin Patch\n*** Delete File: a\n*** End Patch\n```",
        ),
    ),
    "code-mode": Sample(
        CODE_MODE, ("f()", "// @exec: a\r\nf();\n", "\U0001f600\n\0"), ("",)
    ),
    "arithmetic": Sample(ARITHMETIC, ("1", "12 + 3 * 4"), ("", "1+1", "1 +", " 1")),
    "calculator": Sample(
        CALCULATOR,
        ("1", "1 + 2*( x - .5 )", "--a", " 1", "1e3-1-1"),
        ("", "1 +", "(1", "1 2", "+1"),
    ),
    "json": Sample(
        JSON,
        ("[]", "[ ]", '{"a": [1, -2.5e3, {"b": null}], "c\\"": "\\u00e9"}', "true\n"),
        ("[,]", "[1,]", "{a: 1}", '"', "truefalse"),
    ),
    "notation": Sample(
        NOTATION, ("aXx12", "bxX+-!", "cxx\\\"34!!?", "axx"), ("dxx12", "axx1", "ax12", "axx12?")
    ),
}  # fmt: skip
