"""A real model server with a toy model, to try the adapter without one of your own.

Needs the extra `demo`. Nothing here is imported by the rest of the package but the command `demo`.
"""
