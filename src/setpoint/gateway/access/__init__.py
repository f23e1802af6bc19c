"""Who may ask: API keys and bearer tokens. Never what is asked."""
