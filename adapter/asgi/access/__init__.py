"""Who may ask here, for which models, and how much: own API keys and limits of admission."""
