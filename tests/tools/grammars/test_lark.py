"""Lark's notation: what is read, and what is refused with a reason."""

import pytest

from adapter.tools.grammars.gbnf import to_gbnf
from adapter.tools.grammars.match import find_grammar_misfit
from adapter.tools.grammars.nodes import GrammarError
from adapter.tools.grammars.read import read_grammar


@pytest.mark.parametrize(
    ("definition", "gbnf"),
    [
        pytest.param('start: "a"', 'root ::= "a"\n', id="string"),
        pytest.param(r'start: "\n\t\"\\\/é"', r'root ::= "\n\t\"\\/é"', id="escapes"),
        pytest.param('start: "aB1"i', "root ::= [Aa] [Bb] \"1\"", id="either-case"),
        pytest.param('start: "a".."z"', "root ::= [a-z]", id="range"),
        pytest.param(r"start: /a\/b/", 'root ::= "a/b"', id="regex"),
        pytest.param("start: /./s", r"root ::= ([^\n] | [\n])", id="flags"),
        pytest.param("start: /[^-^]/", "root ::= [^^-]", id="negated"),
        pytest.param(r"start: /[+--\][]/", r"root ::= [+-,\[\]-]", id="dash-and-brackets"),
        pytest.param(r"start: /[\x01-\x1f]|\x7f/", r'root ::= [\u0001-\u001F] | "\u007F"', id="controls"),
        pytest.param('start: "a" "b" | "c"', 'root ::= "ab" | "c"', id="alternatives"),
        pytest.param('start: "a"\n  | "b"\n\n  | "c"', 'root ::= "a" | "b" | "c"', id="lines"),
        pytest.param('start: | "a"', 'root ::= "" | "a"', id="nothing-first"),
        pytest.param('start: ("a" | "b") ["c"]', 'root ::= ("a" | "b") ("c")?', id="groups"),
        pytest.param('start: "a"* /b/+ ("c" "d")?', 'root ::= ("a")* ("b")+ ("cd")?', id="repetitions"),
        pytest.param('start: "a"~3 "b"~1..2', 'root ::= ("a"){3} ("b"){1,2}', id="counts"),
        pytest.param('start: "a"{3} "b"{1,2} "c"{,4} "d"{2,}', 'root ::= ("a"){3} ("b"){1,2} ("c"){0,4} ("d"){2,}', id="braces"),
        pytest.param('start: a B\na: "x"\nB: "y"', 'root ::= a b\na ::= "x"\nb ::= "y"', id="rules"),
        pytest.param('start: a_b A_B "c"\na_b: "x"\nA_B: "y"', 'root ::= a-b a-b-2 "c"\na-b ::= "x"\na-b-2 ::= "y"', id="names-that-become-one"),
        pytest.param('start: a_b_3 a_b A_B\na_b_3: "x"\na_b: "y"\nA_B: "z"', 'root ::= a-b-3 a-b a-b-3-x', id="names-that-become-one-again"),
        pytest.param('start: "" "a" ""', 'root ::= "a"', id="empty-strings"),
        pytest.param('?start: _a -> b\n!_a.3: "x"', 'root ::= a\na ::= "x"', id="marks-that-mean-nothing"),
        pytest.param('start: a\na[capture, lazy]: "x"', 'root ::= a\na ::= "x"', id="attributes"),
        pytest.param('%llguidance {}\n// c\nstart: "#" # d\n', 'root ::= "#"', id="comments"),
        pytest.param('start: "a"\nb: "unused"', 'root ::= "a"', id="unused"),
        pytest.param("start: LF\n%import common.LF", 'root ::= lf\nlf ::= "\\n"', id="import"),
        pytest.param("start: X\n%import common.DIGIT -> X", "root ::= x\nx ::= [0-9]", id="alias"),
        pytest.param("start: INT WORD\n%import common (INT, WORD)", "root ::= int word\nint ::= [0-9]+\nword ::= [A-Za-z]+", id="imports"),
        pytest.param('start: "a" B\nB: "b" "c"\n%ignore " "', 'root ::= ignore start-2\nignore ::= (" ")*\nstart-2 ::= "a" ignore b ignore\nb ::= "bc"', id="ignore"),
        pytest.param('start: p{"a"} p{"a"} p{"b"}\np{x}: x "," x', 'root ::= p-0 p-0 p-1\np-0 ::= "a,a"\np-1 ::= "b,b"', id="template"),
        pytest.param('start: start "a" | "b"', 'root ::= "b" ("a")*', id="begins-with-itself"),
        pytest.param('start: start "+" start | "b" | start', 'root ::= "b" ("+" root)*', id="begins-and-ends-with-itself"),
        pytest.param('start: "a" start | "b"', 'root ::= ("a")* "b"', id="ends-with-itself"),
        pytest.param('start: ("a"? "b"*)+ | ("c" | )~2', 'root ::= ("a" | "b")* | ("c" | ""){0,2}', id="repeats-nothing-empty"),
        pytest.param('start: a+\na: b* | "c"?\nb: "d"?', 'root ::= ("d" | "c")*\n', id="repeats-no-rule-that-is-empty"),
    ],
)  # fmt: skip
def test_it_is_written_as_gbnf(definition: str, gbnf: str) -> None:
    written = to_gbnf(read_grammar("lark", definition))

    lines = written.splitlines()
    assert lines[: gbnf.rstrip().count("\n") + 1] == gbnf.rstrip("\n").splitlines()


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        ("", "no rule 'start'"),
        ('other: "a"', "no rule 'start'"),
        ("start: a", "'a' is not defined"),
        ("start: A b\nA: /x/", "'b' is not defined"),
        ("start: start", "'start' never ends"),
        ('start: "a" b\nb: "c" b', "'b' never ends"),
        ('start: "a"\nstart: "b"', "'start' is defined twice"),
        ('start: "a', "the character '\"' in line 1"),
        ('start: "a"\n  @', "the character '@' in line 2"),
        ("start: <|special|>", "the character '<' in line 1"),
        ('start: "a" & "b"', "the character '&' in line 1"),
        ("start: (a", "'' instead of ')'"),
        ("start: a)", "')' where a definition ends"),
        ('start: "a"*+', "a repetition of a repetition"),
        ('start: "a"~', "'' instead of a number"),
        ('start: "a"{2', "'' instead of '}'"),
        ('start: "b".."a"', "a range between anything but two characters"),
        ('start: "a"..b', "a range between anything but two characters"),
        (r'start: "\q"', r"the escape '\q' in a string"),
        (r'start: "\ud800"', "an escape for a character that there is not"),
        ("start: /(?=a)/", "the group '(?=a'"),
        ("start: /a/l", "the regex flag 'l'"),
        ("start: ->", "'->' without a name"),
        ('"a" start: "b"', "'\"a\"' outside of a definition"),
        ("%declare A\nstart: A", "the directive '%declare'"),
        ('%override start: "a"', "the directive '%override'"),
        ("start: A\n%import .other.A", "%import . other . A"),
        ("start: A\n%import common.EMOJI -> A", "%import common.EMOJI"),
        ('start: %json {"type": "string"}', "the directive '%json'"),
        ('start[stop="x"]: "a"', "the attribute 'stop'"),
        ("start: x\nx[max_tokens=3]: /a+/", "the attribute 'max_tokens'"),
        ('start: t{"a"}\nt{x, y}: x', "'t' with 1 arguments"),
        ('start: t{"a"}\nt: "b"', "'t' with 1 arguments"),
    ],
)
def test_what_is_not_read_is_refused(definition: str, reason: str) -> None:
    with pytest.raises(GrammarError) as error:
        read_grammar("lark", definition)

    assert str(error.value) == reason


def test_gbnf_has_no_rule_that_begins_with_itself_by_way_of_others() -> None:
    """llama.cpp: "unsupported grammar, left recursion detected"; the check has no such trouble."""
    grammar = read_grammar("lark", 'start: a\na: b "x"\nb: [c] a "y" | "z"\nc: "c"?')

    assert find_grammar_misfit(grammar, "zxyx") is None
    assert find_grammar_misfit(grammar, "zxy") is not None
    with pytest.raises(GrammarError, match="begins with itself"):
        to_gbnf(grammar)
