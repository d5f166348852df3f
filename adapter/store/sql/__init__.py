"""Stores in SQL databases: SQLite in a file, and PostgreSQL.

What is said in SQL is the same for both (SQLAlchemy Core), and runs in one transaction over one
connection: synchronous functions of a `Connection`. A `Database` knows how to run such a function:
`sqlite.py` in threads, `postgres.py` on an asynchronous driver. Writes are collected into groups
that share a commit (`group.py`).
"""
