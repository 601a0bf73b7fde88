"""Organization access tokens for conda: issued, kept, and sent where they belong.

This module is loaded by every conda command, so it holds nothing but the version.
"""

__version__ = "0.1.0"
