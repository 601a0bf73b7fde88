"""The plugin's own HTTP requests: client, session, network settings, redirects, redaction."""
