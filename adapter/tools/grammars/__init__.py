"""Grammars of custom tools: read as `lark` or `regex`, written as GBNF or as a regular expression.

A grammar is read once into a small tree (`nodes`), which the writers and the check work on. What a
client sends is hostile until it is read: everything has a bound, and what is beyond it, or outside
of the subset that is read, is a `GrammarError`.

Not for JSON schemas, and not a parser: the only question is whether a text fits.
"""
