"""What requests go on from, and where their responses are kept: the one user of a store."""

from adapter.state.base import Remembered, State, StateOptions

__all__ = ["Remembered", "State", "StateOptions"]
