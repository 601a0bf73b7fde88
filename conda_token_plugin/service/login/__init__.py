"""Log in: discovery, login by code, and login by browser."""
