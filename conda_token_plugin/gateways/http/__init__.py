"""HTTP requests of the plugin itself: client, session, answers, failures and redirects."""
