"""Responses to chat and back, without IO: requests, messages, parameters, errors and usage."""
