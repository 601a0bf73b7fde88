"""Organization access tokens for conda: issue them, store them, and send them with requests.

Every conda command loads this module, so it has only the version and a name.
"""

__version__ = "0.1.0"
HANDLER = "conda-token-plugin"
"""The name under which conda knows the plugin and its auth handler."""
