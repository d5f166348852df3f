"""Tool types, one row each: how a tool is offered to a chat model and how its calls come back."""
