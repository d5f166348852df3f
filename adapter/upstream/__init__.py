"""Ways to a model server: over HTTP (`http`), with the user's own client (`httpx`), in process (`asgi`).

Each is an `Upstream` as `base` says. Nothing is imported here, so that `import adapter` does not
load an HTTP client that may not be used.
"""
