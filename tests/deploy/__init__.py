"""The files in `deploy/` are valid and say what the code does, and several replicas are one server."""
