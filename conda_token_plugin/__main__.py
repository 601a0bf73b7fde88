"""Run `python -m conda_token_plugin` as the script `conda-token-plugin`."""

from conda_token_plugin.cli import script

raise SystemExit(script())
