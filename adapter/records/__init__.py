"""Requests and responses as they are kept, and kept ones as history: conversions without IO."""
