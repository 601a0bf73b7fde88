"""Log in: discovery, the device flow and the browser flow."""
