"""Tools that are run here, for one response."""
