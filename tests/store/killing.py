"""Kill writers at each step and at random times, and check what they leave.

``python -m tests.store.killing HOME file calls 1`` works in a process of its own, which may fork
often. It prints one JSON object: how many writers were killed, and how many of them left
the old state. A state that is neither the old nor the new one ends it with an error.
"""

from __future__ import annotations

import gc
import json
import os
import random
import select
import shutil
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock  # noqa: F401  # so that the children find it imported
import keyring.core  # noqa: F401  # as above

from conda_token_plugin import store as package
from conda_token_plugin.gateways import keyring as gateway  # noqa: F401  # as above
from conda_token_plugin.store import Store, keyring_probe
from tests.store import stores
from tests.store.stores import WRITES, fill
from tests.support import keyrings, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from tests.store.stores import Content

CALLS = ("open", "write", "close", "fsync", "replace", "unlink", "mkdir", "utime", "chmod")
"""The calls that can change something; a kill at another call has the effect of the one before."""
STORE_CODE = str(Path(package.__file__).parent)
MAX_SECONDS = {"file": 0.012, "keyring": 0.05}
"""Maximum seconds until a writer is killed: enough for a few writes."""


@dataclass
class Experiment:
    """A home with a store and a keyring, and the counts of the report."""

    home: Path
    choice: str
    killed: int = 0
    before: int = 0
    left: int = 0
    finished: int = 0
    template: Path = field(init=False)

    def __post_init__(self) -> None:
        self.template = self.home.with_name("template")
        self.reset(made_new=True)
        fill(self.store())
        shutil.copytree(self.home, self.template)

    def store(self) -> Store:
        return Store(self.home / "store", choice=self.choice)

    def reset(self, *, made_new: bool = False) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        if made_new:
            self.home.mkdir()
        else:
            shutil.copytree(self.template, self.home)

    def entries(self) -> set[str]:
        if self.choice == "file":
            return stores.files(self.home / "store") - {".new"}
        if "InFolder" in os.environ.get("PYTHON_KEYRING_BACKEND", ""):
            return {f"{user})" for user in keyrings.fake_users()}
        return keyrings.real_users()

    def check(self, *, before: Content, after: Content) -> Content:
        """Return the state of the store. Check that it is one of the two, with no lost secret.

        ``self.left`` counts the states with something that the next write has to delete.
        """
        found = stores.content(self.store())
        assert found in (before, after), (found, before, after)
        folder = self.home / "store"
        entries = self.entries()
        assert entries <= stores.live(folder) | stores.pending(folder), entries
        self.killed += 1
        self.before += found == before
        self.left += entries != stores.live(folder) or any(self.home.rglob(".new"))
        return found

    def check_recovery(self) -> None:
        """Check that the next two writes delete what is left."""
        self.store().add(tokens.token("next"), tokens.secret("next"))
        self.store().set_login("next", tokens.secret("next"))
        folder = self.home / "store"
        assert self.entries() == stores.live(folder)
        assert ".new" not in stores.files(folder)


def kill_at_each_step(
    experiment: Experiment, kill_at: Callable[[int], None], *, stride: int
) -> None:
    """Kill each kind of write at one of its first steps, and at every ``stride``-th after it."""
    for number, write in enumerate(WRITES.values()):
        before, after = outcomes(experiment, write)
        for step in range(1 + number % stride, 10_000, stride):
            experiment.reset()
            if not killed(partial(kill_at, step), partial(write, experiment.store())):
                break
            left = experiment.left
            experiment.check(before=before, after=after)
            if experiment.left > left:
                experiment.check_recovery()


def outcomes(experiment: Experiment, write: Callable[[Store], object]) -> tuple[Content, Content]:
    experiment.reset()
    before = stores.content(experiment.store())
    write(experiment.store())
    return before, stores.content(experiment.store())


def killed(*works: Callable[[], object]) -> bool:
    """Run ``works`` in a child; return whether it was killed before it had finished."""
    child = os.fork()
    if not child:
        quietly(lambda: [work() for work in works])
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL, status
        return True
    assert os.WEXITSTATUS(status) == 0, "the writer has failed by itself"
    return False


def quietly(work: Callable[[], object]) -> None:
    """Run ``work`` and exit without any cleanup."""
    status = 1
    try:
        work()
        status = 0
    finally:
        if status:
            traceback.print_exc()
        os._exit(status)


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at_call(step: int) -> None:
    """Kill this process at a system call: before it at odd steps, after it at even ones.

    Half of a write is done before the kill.
    """
    calls = [0]

    def on(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            calls[0] += 1
            last = calls[0] == (step + 1) // 2
            if last and step % 2:
                if name == "write":
                    real(args[0], bytes(args[1])[: len(args[1]) // 2])
                kill_self()
            try:
                return real(*args, **kwargs)
            finally:
                if last:
                    kill_self()

        return call

    for name in CALLS:
        setattr(os, name, on(name, getattr(os, name)))


def kill_at_line(step: int) -> None:
    """Kill this process before a line of the store's code."""
    passed = [0]

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(STORE_CODE):
            return None
        if event == "line":
            passed[0] += 1
            if passed[0] == step:
                kill_self()
        return trace

    threading.settrace(trace)
    sys.settrace(trace)


def kill_at_random(experiment: Experiment, *, times: int, seed: int) -> None:
    """Kill a writer that makes one write after another at random times."""
    chance = random.Random(seed)
    experiment.reset()
    start = stores.content(experiment.store())
    for _ in range(times):
        acts = [chance.choice(list(ACTS)) for _ in range(200)]
        started, done = run_for(
            experiment, acts, seconds=chance.uniform(0, MAX_SECONDS[experiment.choice])
        )
        states = list(expected_states(start, acts[:started]))
        start = experiment.check(before=states[done], after=states[-1])
        experiment.finished += done


def run_for(experiment: Experiment, acts: list[str], *, seconds: float) -> tuple[int, int]:
    """Return how many acts a writer has begun, and how many it has finished."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        quietly(lambda: perform(experiment.store(), acts, writer))
    os.close(writer)
    select.select([reader], [], [])
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    progress = b""
    while piece := os.read(reader, 4096):
        progress += piece
    os.close(reader)
    return progress.count(b"<"), progress.count(b">")


def perform(store: Store, acts: list[str], progress: int) -> None:
    for number, act in enumerate(acts):
        os.write(progress, b"<")
        ACTS[act](store, number)
        os.write(progress, b">")


def _add(name: str) -> Callable[[Store, int], None]:
    def act(store: Store, number: int) -> None:
        store.add(tokens.token(name), tokens.secret(f"{name} {number}"))

    return act


def _remove(name: str) -> Callable[[Store, int], None]:
    def act(store: Store, _: int) -> None:
        if store.token(tokens.token(name).key):
            store.remove(tokens.token(name).key)

    return act


def _log_in(store: Store, number: int) -> None:
    store.set_login(tokens.SERVICE, tokens.secret(number, length=1500))


def _log_out(store: Store, _: int) -> None:
    store.remove_login(tokens.SERVICE)


ACTS: dict[str, Callable[[Store, int], None]] = {
    **{f"add {name}": _add(name) for name in "abcd"},
    **{f"remove {name}": _remove(name) for name in "abcd"},
    "log in": _log_in,
    "log out": _log_out,
}


def expected_states(state: Content, acts: list[str]) -> Iterator[Content]:
    """Yield the expected content before the first act and after each."""
    yield state
    for number, act in enumerate(acts):
        held, login = dict(state.tokens), state.login
        verb, _, name = act.partition(" ")
        if verb == "add":
            held[tokens.token(name).key] = (tokens.token(name), tokens.value(f"{name} {number}"))
        elif verb == "remove":
            held.pop(tokens.token(name).key, None)
        else:
            login = tokens.value(number, length=1500) if name == "in" else None
        state = stores.Content(held, login)
        yield state


def main(home: str, choice: str, how: str, number: str) -> None:
    """Take the stride of the steps, or the number of random kills, as ``number``."""
    os.environ["HOME"] = home
    os.fsync = lambda _: None  # type: ignore[assignment]  # a kill needs no sync
    Path(home).mkdir(exist_ok=True)
    if choice == "keyring":
        finding = keyring_probe.probe(explicit=True)
        keyring_probe.probe = lambda **_: finding  # it writes nothing, and is slow
    gc.freeze()  # the children copy less memory
    experiment = Experiment(Path(home), choice)
    if how == "random":
        kill_at_random(experiment, times=int(number), seed=int(number))
    else:
        kill_at_each_step(
            experiment, {"calls": kill_at_call, "lines": kill_at_line}[how], stride=int(number)
        )
    print(json.dumps({name: getattr(experiment, name) for name in NUMBERS}))  # noqa: T201  # its answer


NUMBERS = ("killed", "before", "left", "finished")

if __name__ == "__main__":
    main(*sys.argv[1:])
