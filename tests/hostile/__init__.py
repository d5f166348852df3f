"""Hostile and odd requests, in tables: what they are, and what is at fault.

A row's fields replace those of a request that is in order; fields in bytes are put into such a request
as they are, for what a JSON library would not write.
"""
