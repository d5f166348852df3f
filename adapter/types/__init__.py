"""The wire as values: requests, items, tools, responses, events and chat, as `msgspec` structs.

Only shapes live here. What a shape means is decided in `adapter.translate` and `adapter.stream`.
"""
