"""Other tools' credentials: one module a client, to read them (import) and write them (export).

| module | client |
|---|---|
| ``rattler``, ``pixi`` | credentials file and keyring of what is built on rattler |
| ``mamba`` | mamba and micromamba |
| ``binstar`` | conda without this plugin, anaconda-client, conda-token |
| ``netrc`` | curl, pip, and what else reads netrc |
| ``dotenv``, ``github_actions``, ``docker`` | projects, jobs and images |

``exporting`` brings tokens to the clients, ``recalling`` takes them back, ``ledger`` remembers what
is where; ``importing`` takes in what sources offer; ``foreign`` is how others' files are touched.
What is said of the clients was run with the real ones, unless the module names another source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conda_token_plugin.operations.revert_export import ExportResult
    from conda_token_plugin.settings import Settings
    from conda_token_plugin.tokens.secret import Secret
    from conda_token_plugin.tokens.token import Token


def take_back(token: Token, *, settings: Settings) -> list[ExportResult]:
    """Take back every export of ``token``; what cannot be taken back is told in the result.

    Raises:
        StoreError: the record of exports cannot be read or written.
    """
    from conda_token_plugin.operations.revert_export import take_back_of

    return take_back_of(token, settings=settings)


def renew(token: Token, *, secret: Secret, settings: Settings) -> list[ExportResult]:
    """Write a token that was just reissued wherever the one before it was exported.

    Raises:
        StoreError: the record of exports cannot be read or written.
    """
    from conda_token_plugin.integrations.target import Grant
    from conda_token_plugin.operations.revert_export import renew as renew_all

    return renew_all(Grant(token=token, secret=secret), settings=settings)
