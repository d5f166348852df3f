"""Upstreams that refuse one thing each, in the words of real servers, behind the real app.

`bodies.py` has the forms in which servers refuse, `cases_*.py` what they refuse and how they say it.
"""
