"""What happens during a channel request: the auth handler and its response hooks."""
