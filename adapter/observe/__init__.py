"""What a server tells of its work: metrics, traces, a log line for each request, `server-timing`.

Nothing here is on the path of a delta. A request is one `Exchange`, which is looked at when it
begins, when it calls something, and when it is over; what came in between is read from totals.
"""
