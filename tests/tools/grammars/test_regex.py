r"""Regular expressions: what is read means what it means in Python, and the rest is refused."""

import re

import pytest

from adapter.tools.grammars.match import find_grammar_misfit
from adapter.tools.grammars.nodes import GrammarError
from adapter.tools.grammars.pattern import to_regex
from adapter.tools.grammars.read import read_grammar

TEXTS = [
    *("", "a", "b", "A", "aa", "ab", "ba", "abc", "aXb", "12", "1", "0", "é", "É", "\u0130", "ß"),
    *("a\nb", "\n", "\r", "\t", " ", "a b", "-", "^", "]", "[", "\\", '"', "a-", "{", "{2}", "a{2"),
    *("\U0001f600", "foo", "bar", "foobar", "FOO", "x.y", "xzy", "_", "a_1", "(", "\x08", "\x00", "/"),
]  # fmt: skip


@pytest.mark.parametrize(
    "expression",
    [
        *("", "a", "a|b", "a|", "(a|b)*", "a?b+", "(?:ab){2,3}|a", "a{2}", "a{,2}", "a{1,}"),
        *("[abc]+", "[^a]", "[a-c]*", "[]a]", "[^]a]", "[a-]", "[-a]", "[\\]\\[]", "[\\^]", "[a\\-z]"),
        *(".", ".*", "(?s).", "(?s:.)a?", "(?i)foo", "(?i:f)oo", "(?i)é", "(?i)[a-c]+"),
        *(r"\d+", r"\D", r"[\d_]+", r"\n|\r|\t", r"a\nb", r"\x41", r"\u00e9", r"\U0001F600", r"\\"),
        *(r"\.", r"x\.y", r"\(", r"\/", r"\-", r'\"', r"[\b]", r"\{2\}", "{", "a{", "{a}", "a{2"),
        *("^a$", "^a|b$", "(^a|b)$", "^(a|(b$))", "^$", "(?P<name>a)", "a*?b", "a??", "a{1,2}?"),
        *("(?x) a b # c\n c?", "(?x)[ ]", "(?#comment)a", "((((a))))", "(a*)*", "(a?)+", "(a|b?)*c?"),
        *("a{0}b", "()*a", "()", "(|a)", "(a||b)", "(?i-s:a).", "(?m)^a$"),
    ],
)  # fmt: skip
def test_it_means_what_it_means_in_python(expression: str) -> None:
    grammar = read_grammar("regex", expression)
    again = re.compile(to_regex(grammar))

    for text in TEXTS:
        fits = re.fullmatch(expression, text, re.ASCII) is not None
        if text in ("\u0130", "É", "é", "ß") and "(?i)" in expression:
            continue  # Python has another idea of case with re.ASCII
        assert (find_grammar_misfit(grammar, text) is None) is fits, text
        assert (again.fullmatch(text) is not None) is fits, text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (r"\z", ""),
        (r"\Aa\z", "a"),
        (r"\x{1F600}", "\U0001f600"),
        (r"\u{e9}", "é"),
        ("(?<name>a)", "a"),
        ("(?i)É", "é"),
        ("(?U)a*", "aa"),
        ("[A-Z](?i)a|b", "B"),
    ],
)
def test_it_means_what_it_means_in_rust(expression: str, text: str) -> None:
    assert find_grammar_misfit(read_grammar("regex", expression), text) is None


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("(?=a)", "the group '(?=a'"),
        ("(?!a)", "the group '(?!a'"),
        ("(?<=a)b", "the group '(?<='"),
        ("(?<!a)b", "the group '(?<!'"),
        ("(?>a)", "the group '(?>a'"),
        ("(?P=n)", "the group '(?P='"),
        ("(?(1)a|b)", "the group '(?(1'"),
        ("(?a)b", "the regex flag 'a'"),
        ("(?L)b", "the regex flag 'L'"),
        (r"(a)\1", r"the escape '\1'"),
        (r"\bfoo", r"the escape '\b'"),
        (r"\Bfoo", r"the escape '\B'"),
        (r"\p{L}", r"the escape '\p'"),
        (r"\Ga", r"the escape '\G'"),
        (r"\Qa\E", r"the escape '\Q'"),
        ("\\", "the escape '\\'"),
        (r"\x4", r"the escape '\x'"),
        (r"\ud800", "an escape for a character that there is not"),
        (r"\U00110000", "an escape for a character that there is not"),
        ("a++", "a possessive quantifier"),
        ("a**", "a quantifier behind a quantifier"),
        ("a{2}{3}", "a quantifier behind a quantifier"),
        ("*a", "a quantifier with nothing before it"),
        ("a|+", "a quantifier with nothing before it"),
        ("(a", "a '(' without its ')'"),
        ("a)", "a ')' without its '('"),
        ("(?#a", "a comment without its end"),
        ("[a", "a class without its ']'"),
        ("[z-a]", "a range that is upside down"),
        (r"[\d-z]", "a range between more than two characters"),
        ("[[:alpha:]]", "'[:' in a class"),
        ("[a&&b]", "'&&' in a class"),
        (r"[^\s\S]", "a class without a character"),
        ("\ud800", "a class without a character"),
        ("a^b", "the anchor '^' in the middle of a regular expression"),
        ("a$b", "the anchor '$' in the middle of a regular expression"),
        ("(^a)*", "the anchor '^' in the middle of a regular expression"),
        ("(a$)+b", "the anchor '$' in the middle of a regular expression"),
        ("a{3,2}", "a repetition whose end is before its beginning"),
    ],
)
def test_what_it_cannot_be_held_to_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(GrammarError) as error:
        read_grammar("regex", expression)

    assert str(error.value) == reason
