"""Finding out what an upstream really does: a few dozen small questions, and what they show.

For `responses-adapter probe`. It judges single requests; it is neither a benchmark nor a test of
how good a model is.
"""

from adapter.probe.ask import Limits
from adapter.probe.report import Report, printable
from adapter.probe.row import name_of, to_toml
from adapter.probe.run import probe
from adapter.probe.table import render

__all__ = ["Limits", "Report", "name_of", "printable", "probe", "render", "to_toml"]
