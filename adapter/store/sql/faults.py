"""What an error of a database means for those who wait: try again, blame one write, or give up.

Messages of databases may quote values and addresses, so clients get our words and the log the kind.
"""

import logging
import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from adapter.errors import StoreError

logger = logging.getLogger(__name__)

# Classes and codes of SQLSTATE (PostgreSQL, Appendix A): the connection, and a server that stops,
# starts or is full. Without a code there was no connection to send it over.
_CONNECTION_CLASS = "08"
_COMES_AND_GOES = frozenset({"57P01", "57P02", "57P03", "57P05", "53300"})
_NOT_POSTGRES = ""
# The server chose one of two transactions that waited for each other.
_CHOSEN = frozenset({"40001", "40P01"})


def is_connection_lost(error: BaseException) -> bool:
    """Tell whether the same may work over a new connection, now or soon."""
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlstate", _NOT_POSTGRES)
    if code is None:
        return isinstance(error, OperationalError)
    return code.startswith(_CONNECTION_CLASS) or code in _COMES_AND_GOES


def may_pass_again(error: DBAPIError) -> bool:
    """Tell whether to try the same transaction again."""
    return is_connection_lost(error) or getattr(error.orig, "sqlstate", None) in _CHOSEN


def may_be_of_one_write(error: BaseException) -> bool:
    """Tell whether the other writes of a transaction may pass without the one that failed."""
    is_of_all = isinstance(error, OperationalError | PoolTimeoutError | OSError)
    return not is_of_all and not is_connection_lost(error)


def to_store_error(error: Exception) -> StoreError:
    """Return what clients may know of an error, and log of which kind it is."""
    logger.warning("the response store failed: %s", kind_of(error))
    if isinstance(error, TimeoutError | PoolTimeoutError):
        return StoreError("The response store did not answer in time.")
    if is_connection_lost(error):
        return StoreError("The response store cannot be reached.")
    return StoreError("The response store failed.")


def kind_of(error: BaseException) -> str:
    """Return the kind of an error, without values; of a failed connection also what was wrong."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None)
    name = type(cause).__name__
    if code:
        return f"{name} ({code})"
    # It quotes addresses and users, for the operator alone; passwords are never in it.
    return f"{name}: {cause}" if name == "OperationalError" else name


# What running SQL raises: the library's errors, its drivers' refusal of a value, and the file's.
DATABASE_ERRORS = (SQLAlchemyError, sqlite3.Error, OSError, OverflowError, ValueError)
