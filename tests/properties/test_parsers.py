"""The reader of any foreign input raises only documented errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.properties.conftest import BOUNDED
from tests.properties.mutations import inputs
from tests.properties.parsers import PARSERS

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path


@pytest.mark.parametrize(
    ("name", "data"), [(name, data) for name, one in PARSERS.items() for data in one.failed]
)
def test_input_of_an_earlier_bug_raises_only_documented_errors(
    name: str, data: bytes, home: Path
) -> None:
    PARSERS[name].read(data, home)


@pytest.mark.parametrize("name", PARSERS)
@BOUNDED
@given(data=st.data())
def test_parser_of_any_input_raises_only_our_own_errors(
    name: str, home: Path, count: Counter[str], data: st.DataObject
) -> None:
    count["executions"] += 1
    parser = PARSERS[name]
    parser.read(data.draw(inputs(parser.samples), label="input"), home)
