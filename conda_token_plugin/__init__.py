"""Organization access tokens for conda: issued, kept, and sent where they belong.

This module is loaded by every conda command, so it holds nothing but the version and a name.
"""

__version__ = "0.1.0"
HANDLER = "conda-token-plugin"
"""The name under which conda knows the plugin and its auth handler."""
