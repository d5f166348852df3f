"""Contract tests with the official OpenAI SDK, through real uvicorn, on both kinds of upstream.

What the SDK does not look at (order, numbers, bytes) is checked beside it; what becomes of single
parameters belongs to the tests of `adapter.translate`.
"""
