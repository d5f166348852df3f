"""Where responses, conversations and event logs are kept: a contract, and a row per back-end."""
