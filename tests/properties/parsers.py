"""Each reader of foreign input, with valid examples.

Hypothesis calls them with changed examples. A fuzzer such as atheris can call
``PARSERS[name].read(data, home)``, too.
"""

from __future__ import annotations

import json
from base64 import b64encode

from tests.properties import answers, others, ours, stored
from tests.properties.reading import Parser
from tests.properties.samples import (
    ASTRAY,
    CALLBACK,
    CONDARC,
    DEVICE,
    ENTRY,
    EXPORTS,
    GOOD,
    HISTORY,
    INDEX,
    INDEX_OF_STORE,
    MAIL,
    MAMBA,
    NESTED,
    NETRC,
    NOTE,
    NOWHERE,
    RATTLER,
    RESPONSE,
    SITES,
    STATE,
    VALUE,
    WARNED,
    document,
)

PARSERS: dict[str, Parser] = {
    "answers": Parser(read=answers.answered(answers.every_question), samples=GOOD, failed=NOWHERE),
    "admin": Parser(read=answers.answered(answers.admin), samples=GOOD[2:3]),
    "login": Parser(
        read=answers.answered(answers.login),
        samples=(document(DEVICE),),
        failed=(document({**DEVICE, "device_code": "c\ud800ode"}),),
    ),
    "proof": Parser(
        read=answers.answered(answers.proof),
        samples=(document(INDEX), GOOD[-1]),
        failed=(*NOWHERE, ASTRAY),
    ),
    "words": Parser(read=answers.answered(answers.words), samples=GOOD, failed=NOWHERE),
    "callback": Parser(
        read=answers.came_back, samples=(CALLBACK, b"/auth/oidc?error=x&state=state")
    ),
    "source anaconda-auth": Parser(
        read=others.offers_of("anaconda-auth"),
        samples=(json.dumps({"Anaconda Cloud": {"anaconda.com": ENTRY}}).encode(),),
    ),
    "source anaconda-client": Parser(
        read=others.offers_of("anaconda-client"), samples=(VALUE.encode(), b"")
    ),
    "source conda-auth": Parser(read=others.offers_of("conda-auth"), samples=(CONDARC.encode(),)),
    "source condarc": Parser(read=others.offers_of("condarc"), samples=(CONDARC.encode(),)),
    "source netrc": Parser(read=others.offers_of("netrc"), samples=(NETRC.encode(),)),
    "source mamba": Parser(read=others.offers_of("mamba"), samples=(json.dumps(MAMBA).encode(),)),
    "source rattler": Parser(
        read=others.offers_of("rattler"), samples=(json.dumps(RATTLER).encode(),)
    ),
    "source of a path": Parser(read=others.any_file, samples=(CONDARC.encode(), HISTORY.encode())),
    "target rattler": Parser(
        read=others.place_of("rattler"), samples=(json.dumps(RATTLER).encode(),)
    ),
    "target mamba": Parser(read=others.place_of("mamba"), samples=(json.dumps(MAMBA).encode(),)),
    "target netrc": Parser(read=others.place_of("netrc"), samples=(NETRC.encode(),)),
    "target dotenv": Parser(
        read=others.place_of("dotenv"), samples=(b"A=1\r\nexport B = 'x y'\n",)
    ),
    "target pixi": Parser(
        read=others.pixi,
        samples=(b'authentication-override-file = "~/x.json"\n[mirrors]\n',),
        failed=(
            b'authentication-override-file="/"',
            b'authentication-override-file="~\0"',
            b'authentication-override-file="\0"',
            b'authentication-override-file="~nobody/x"',
        ),
    ),
    "keyring": Parser(
        read=others.keyring_entry,
        samples=(
            ENTRY.encode(),
            json.dumps({"auth_type": "token", "token": VALUE}).encode(),
            json.dumps({"CondaToken": VALUE}).encode(),
        ),
        failed=(NESTED, b64encode(NESTED)),
    ),
    "notes": Parser(
        read=ours.notes,
        samples=(NOTE.encode(), WARNED.encode(), b'["https://h/x"]'),
        failed=(
            NESTED,
            NOTE.replace("2026-11-24T02:00:00", "0001-01-01T00:00:00+14:").encode(),
            *(NOTE.replace('"2026-11-24T02:00:00+00:00"', x).encode() for x in ("1", "null")),
            *(NOTE.replace("4194305", x).encode() for x in ("1e999", "9" * 30, "-1", "[]")),
        ),
    ),
    "cache": Parser(read=ours.cached, samples=(STATE.encode(), CONDARC.encode()), failed=(NESTED,)),
    "channels": Parser(read=ours.channels, samples=(CONDARC.encode(), b"/opt/conda\n/x\n")),
    "exports": Parser(read=ours.exports, samples=(EXPORTS.encode(),)),
    "drop-in": Parser(
        read=ours.own_dropin, samples=(b'signing_metadata_url_base: "https://h/x"\n',)
    ),
    "audit of a history": Parser(read=ours.audited(".bash_history"), samples=(HISTORY.encode(),)),
    "audit of a condarc": Parser(read=ours.audited(".condarc"), samples=(CONDARC.encode(),)),
    "audit of a .conda": Parser(
        read=ours.audited("x-1-0.conda"), samples=(b"PK\x05\x06" + 18 * b"\0",)
    ),
    "audit of a .tar.bz2": Parser(read=ours.audited("x-1-0.tar.bz2"), samples=(b"BZh9",)),
    "helper": Parser(
        read=ours.helper,
        samples=(
            b'{"uri": "https://repo.example/acme"}',
            RESPONSE,
        ),
    ),
    "index": Parser(read=stored.index, samples=(INDEX_OF_STORE,)),
    "provider": Parser(read=stored.provider, samples=(RESPONSE, VALUE.encode())),
    "secret file": Parser(
        read=stored.secret_file, samples=(VALUE.encode(), f"{VALUE}\r\n".encode("utf-16"))
    ),
    "sites": Parser(read=stored.sites, samples=(SITES,), failed=(b"a." * 32_000 + b"a = 1",)),
    "pasted": Parser(read=ours.pasted, samples=(MAIL.encode(), VALUE.encode(), HISTORY.encode())),
    "API key": Parser(
        read=ours.api_key,
        samples=(b"x.eyJleHAiOjE4MDAwMDAwMDB9.y",),
        failed=(b"x." + b64encode(NESTED[:9_000]) + b".y",),
    ),
    "variables": Parser(
        read=ours.variables,
        samples=(b"https://h.example/x", b"file", b"~/x", VALUE.encode()),
        failed=(b"/", b"//", b"a." * 30_000 + b"a = 1"),
    ),
    "address": Parser(
        read=ours.address,
        samples=(f"https://h.example:443/t/{VALUE}/repo/acme/%2e/x?y#z".encode(),),
    ),
}
