"""The sandbox's state: accounts, organizations, tokens and time."""
