"""Print a script that makes a shell complete `conda-token-plugin` and `conda token`.

Examples:
  eval "$(conda-token-plugin completion bash)"
  conda-token-plugin completion fish > ~/.config/fish/conf.d/conda-token-plugin.fish

For bash and fish, see the examples. zsh: write the output to a file
`_conda-token-plugin` in a folder of $fpath. PowerShell: add
`conda-token-plugin completion powershell | Out-String | Invoke-Expression` to $PROFILE.
tcsh: `source` the output. The stored organizations, channels and providers are completed.
In PowerShell and tcsh, `conda token` itself is not completed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conda_token_plugin.cli import SCRIPT_PROG
from conda_token_plugin.errors.input import BadInput

if TYPE_CHECKING:
    from argparse import Action, ArgumentParser
    from collections.abc import Iterator

    from conda_token_plugin.cli.context import CommandContext

SHELLS = ("bash", "zsh", "fish", "powershell", "tcsh")
"""The shells that shtab 1.12 and later can write for."""
FILES = {"FILE", "F", "PATH"}
"""The metavars of options for a file."""
ORGANIZATIONS, CHANNELS, PROVIDERS = "organizations", "channels", "providers"
STORED = {
    "org": ORGANIZATIONS,
    "organization": ORGANIZATIONS,
    "organizations": ORGANIZATIONS,
    "url": CHANNELS,
    "channel": CHANNELS,
    "channels": CHANNELS,
    "add_channel": CHANNELS,
    "provider": PROVIDERS,
}
"""The stored words that complete an argument, by the argument's `dest`."""
WORDS = "{ conda-token-plugin completion --words $1 || conda token completion --words $1; }"
BASH = f"""
_conda_token_words() {{ compgen -W "$({WORDS} 2>/dev/null)" -- "$2"; }}
_conda_token_organizations() {{ _conda_token_words organizations "$1"; }}
_conda_token_channels() {{ _conda_token_words channels "$1"; }}
_conda_token_providers() {{ _conda_token_words providers "$1"; }}
"""
BASH_OF_CONDA = """
_conda_token_former="$(complete -p conda 2>/dev/null | sed -n 's/.* -F \\([^ ]*\\) .*/\\1/p')"
[ "$_conda_token_former" = _conda_token ] && _conda_token_former=""
_conda_token() {
  if [[ "${COMP_WORDS[1]}" = token && "$COMP_CWORD" -gt 1 ]]; then
    COMP_WORDS=(conda-token-plugin "${COMP_WORDS[@]:2}"); COMP_CWORD=$((COMP_CWORD - 1))
    _shtab_conda_token_plugin conda-token-plugin "$2" "$3"
  elif [[ -n "$_conda_token_former" ]]; then
    "$_conda_token_former" "$@"
  fi
}
complete -o bashdefault -o default -F _conda_token conda
"""
ZSH = f"""
_conda_token_words() {{
  compadd -- ${{(f)"$({WORDS} 2>/dev/null)"}}
}}
_conda_token_entry() {{
  if [[ $words[1] != conda ]]; then
    _shtab_conda_token_plugin "$@"
  elif [[ $words[2] == token ]] && (( CURRENT > 2 )); then
    words=(conda-token-plugin "${{(@)words[3,-1]}}")
    (( CURRENT-- ))
    _shtab_conda_token_plugin
  elif (( $+functions[_conda] )); then
    _conda "$@"
  else
    _default
  fi
}}
"""
PREAMBLES: Any = {"bash": BASH, "zsh": ZSH}
"""What precedes the script, by shell: shtab accepts a dictionary, and its annotation says `str`."""
FISH_OF_CONDA = """
function __conda_token_complete
  set -l words (commandline -opc) (commandline -ct)
  complete -C "conda-token-plugin "(string join " " -- $words[3..-1])
end
complete -c conda -f -a '(__conda_token_complete)' \\
  -n 'test (commandline -opc)[2] = token 2>/dev/null'
"""


def configure(parser: ArgumentParser) -> None:
    """Add the shell, and the option that the scripts use."""
    parser.add_argument("shell", nargs="?", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    parser.add_argument(
        "--words",
        choices=(ORGANIZATIONS, CHANNELS, PROVIDERS),
        metavar="KIND",
        help="print the stored organizations, channels or providers; used by the scripts",
    )


def run(call: CommandContext) -> int:
    """Print the script, or stored words.

    Raises:
        BadInput: No shell was named.
    """
    if call.args.words:
        words = sorted(set(_stored(call, call.args.words)))
        call.printer.data(words, text="\n".join(words))
        return 0
    if call.args.shell is None:
        raise BadInput("No shell was named.", hint=f"Name one: {', '.join(SHELLS)}")
    text = script(call.args.shell)
    call.printer.data({"shell": call.args.shell, "script": text}, text=text)
    return 0


def script(shell: str) -> str:
    """Return the completion script for `shell`."""
    import shtab

    from conda_token_plugin.cli.parser import complete_parser
    from conda_token_plugin.integrations.registry import SOURCES

    parser = complete_parser(prog=SCRIPT_PROG)
    for action in _actions(parser):
        if action.metavar in FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # as shtab wants it
        elif action.dest in STORED or action.metavar == "ORG":
            kind = STORED.get(action.dest, ORGANIZATIONS)
            action.complete = _completer(kind)  # type: ignore[attr-defined]  # the same
        elif action.metavar == "SOURCE":  # which may also be a path
            action.choices = tuple(SOURCES)
    text = str(shtab.complete(parser, shell=shell, preamble=PREAMBLES))
    return _with_conda(text, shell=shell)


def _completer(kind: str) -> dict[str, str]:
    """Return what completes stored words of a kind, by shell, in the form of shtab."""
    return {
        "bash": f"_conda_token_{kind}",
        "zsh": f"_conda_token_words {kind}",
        "fish": f"(conda-token-plugin completion --words {kind} 2>/dev/null)",
    }


def _with_conda(text: str, *, shell: str) -> str:
    """Return a script of shtab that completes `conda token` too."""
    if shell == "bash":
        return f"{text}\n{BASH_OF_CONDA}"
    if shell == "fish":
        return f"{text}\n{FISH_OF_CONDA}"
    if shell == "zsh":
        head, _, tail = text.rpartition("if [[ $zsh_eval_context[-1]")
        tail = tail.replace("_shtab_conda_token_plugin -N conda-token-plugin", "_shtab_ conda")
        tail = tail.replace("_shtab_conda_token_plugin", "_conda_token_entry")
        tail = tail.replace("_shtab_ conda", "_conda_token_entry conda-token-plugin conda")
        head = head.replace("#compdef conda-token-plugin", "#compdef conda-token-plugin conda", 1)
        return f"{head}if [[ $zsh_eval_context[-1]{tail}"
    return text


def _stored(call: CommandContext, kind: str) -> Iterator[str]:
    """Yield the organizations or channels of all stored tokens, or the names of the providers."""
    for store in call.stores().values():
        if kind == PROVIDERS:
            yield from (provider.name for provider in store.providers())
            continue
        for token in store.tokens():
            if kind == ORGANIZATIONS:
                yield token.organization
            else:
                yield from (*token.scope, *token.channels)


def _actions(parser: ArgumentParser) -> Iterator[Action]:
    from argparse import _SubParsersAction

    for action in parser._actions:  # noqa: SLF001  # argparse has no public way to list them
        yield action
        if isinstance(action, _SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
