"""Upstream bytes to response events, sans IO: SSE, deltas, the state machine, and encoding."""
