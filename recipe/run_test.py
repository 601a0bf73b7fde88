"""Test that the conda of this environment sends a token because of this package.

As in a container, only a variable is set, and no command of the plugin was run. For a token to be
sent, conda has to find the plugin, read the drop-in, and know the handler that it names, and the
handler has to find the token.

conda-build and rattler-build run this in the test environment. conda-build inserts lines before
the first one, so nothing can be imported from `__future__`.
"""

import os

TOKEN = "not-a-token-but-looks-like-one"  # noqa: S105  # made up
COVERED = "https://repo.anaconda.cloud/repo/acme/main/noarch/repodata.json"
OTHERS = (
    "https://repo.anaconda.cloud/other/acme/main/noarch/repodata.json",
    "https://repo.anaconda.cloud.example.org/repo/acme/main/noarch/repodata.json",
    "https://conda.anaconda.org/conda-forge/noarch/repodata.json",
)


def authorization(url: str) -> bytes:
    """Return the header that conda would send to ``url``. Nothing is sent."""
    from conda.gateways.connection.session import get_session
    from requests import Request

    request = get_session(url).prepare_request(Request("GET", url))
    return bytes(request.headers.get("Authorization", "").encode())


def main() -> None:
    """Compare the headers with the expected ones.

    Raises:
        SystemExit: A header is wrong.
    """
    from conda.base.context import reset_context

    os.environ["ANACONDA_REPO_TOKEN"] = TOKEN
    reset_context()  # conda reads its configuration at the start of a command, not on import
    wanted = dict.fromkeys(OTHERS, b"") | {COVERED: f"token {TOKEN}".encode()}
    wrong = [url for url, value in wanted.items() if authorization(url) != value]
    if wrong:
        raise SystemExit(f"the handler is not wired: wrong Authorization for {', '.join(wrong)}")


if __name__ == "__main__":
    main()
