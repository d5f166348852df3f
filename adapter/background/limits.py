"""What background runs may take, in time and in space."""

import msgspec


class RunLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the background runs of one process.

    Attributes:
        max_runs: at one time; 0 is no limit.
        max_owner_runs: at one time, of one owner; 0 is no limit.
        max_seconds: for one run; 0 is for ever.
        max_log_bytes: of the events of one run.
        lease_seconds: without a sign of life, after which a run counts as lost.
        drain_seconds: for runs to end by themselves when the process stops.
        group_seconds: how long an event may wait for others to be written with.
        group_bytes: of events that wait; nothing is read from upstream while there are more.
    """

    max_runs: int = 256
    max_owner_runs: int = 0
    max_seconds: float = 3600.0
    max_log_bytes: int = 64 * 1024 * 1024
    lease_seconds: float = 15.0
    drain_seconds: float = 10.0
    group_seconds: float = 0.03
    group_bytes: int = 256 * 1024

    @property
    def heartbeat_seconds(self) -> float:
        """Between two signs of life, and between two looks for lost runs."""
        return self.lease_seconds / 3
