"""The inspector: a page that shows requests as they are made, for whoever runs the server.

It stands before the app and behind its upstreams, where it records what goes through; nothing of the
app knows of it. It is there only if it was asked for (`serve --ui`).

It keeps content, which nothing else here does: of the last requests only, in memory only, with
secrets masked. For metrics and traces there is `adapter.observe`.
"""
