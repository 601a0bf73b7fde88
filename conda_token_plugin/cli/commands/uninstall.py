"""Forget stored tokens: `remove`, under the name that anaconda-auth gives it.

Examples:
  conda token uninstall -o acme
  conda token uninstall --all

It does not revoke the token: on other machines it goes on working.
"""

from __future__ import annotations

from conda_token_plugin.cli.commands.remove import configure, run

__all__ = ["configure", "run"]
