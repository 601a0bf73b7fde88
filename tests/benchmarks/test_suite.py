"""The suite's own arithmetic: a number in the documentation is no better than this."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks import plot, report
from tests.benchmarks.pairing import Spread, differences, in_turn, ratios
from tests.benchmarks.results import TIME, Results, Row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MACHINE = {"conda": "1.2 <3>", "processors": "2"}


def row(goal: int, *series: float, subject: str = "conda-token-plugin", unit: str = TIME) -> Row:
    spread = Spread.of(series)
    return Row(goal=goal, subject=subject, what="conda & co", unit=unit, spread=spread, limit=1.01)


def results(*rows: Row) -> Results:
    return Results(machine=MACHINE, rows=rows, notes=("x was not measured",), loads={"1": 0.5})


def test_in_turn_reverses_every_other_round_and_drops_the_first() -> None:
    order: list[str] = []

    def trial(name: str) -> Callable[[], int]:
        def run() -> int:
            order.append(name)
            return len(order)

        return run

    kept = in_turn({"a": trial("a"), "b": trial("b")}, rounds=2)

    assert "".join(order) == "ab" + "ab" + "ba"
    assert kept == {"a": [3, 6], "b": [4, 5]}


def test_ratio_of_a_slow_round_is_not_changed_by_the_load() -> None:
    bare, plugged = [100.0, 300.0, 110.0], [101.0, 303.0, 111.1]
    assert ratios(plugged, over=bare).median == pytest.approx(1.01)
    assert differences([3.0, 9.0], over=[1.0, 2.0]).quartiles == (2.0, 7.0)


@pytest.mark.parametrize(("count", "skipped"), [(1, 0), (2, 0), (5, 0), (6, 0), (9, 1), (21, 5)])
def test_interval_of_the_median_skips_values_as_the_sign_test_does(
    count: int, skipped: int
) -> None:
    # Tables of the sign test: for 9 values the 2nd to the 8th, for 21 the 6th to the 16th.
    spread = Spread.of(float(number) for number in range(count))
    assert spread.sure == (skipped, count - 1 - skipped)


@pytest.mark.parametrize(
    ("series", "verdict"),
    [([1.0] * 9, "met"), ([1.0] * 3 + [1.02] * 6, "unsure"), ([1.02] * 9, "missed")],
)
def test_verdict_is_unsure_when_the_interval_reaches_below_the_limit(
    series: list[float], verdict: str
) -> None:
    assert row(1, *series).verdict == verdict


def test_results_are_equal_after_conversion_to_json_and_back() -> None:
    before = results(row(1, 1.0, 2.0, 3.0), row(5, 7.0))
    assert Results.from_json(before.as_json()) == before


def test_joined_results_replace_only_the_goals_that_were_measured_again() -> None:
    before, anew = results(row(1, 1.0), row(2, 2.0)), results(row(1, 3.0))
    alone = replace(anew, machine={"conda": "1.3"})  # without the peers, whose rows stay
    joined = before.joined(alone)
    assert [one.spread.median for one in joined.rows] == [3.0, 2.0]
    assert joined.machine == {**MACHINE, "conda": "1.3"}


def test_write_into_replaces_only_the_text_between_the_marks(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", "utf-8")

    report.write_into(path, report.markdown(results(row(1, 1.0, 1.5))))

    text = path.read_text("utf-8")
    assert text.startswith(f"before\n{report.BEGIN}\n**1. Whole commands**")
    assert text.endswith(f"{report.END}\nafter\n")
    assert "old" not in text
    assert "x was not measured" in text


@pytest.mark.parametrize(
    ("series", "shown"),
    [
        ([-44.5] * 9, "| 0 µs | -44.5 to -44.5 (9) |"),
        ([-30.5] * 4 + [5.5] * 5, "| 0 µs | -30.5 to 5.50 (9) |"),
        ([25.5] * 9, "| 25.5 µs | 25.5 to 25.5 (9) |"),
    ],
)
def test_difference_within_the_noise_is_shown_as_zero_with_its_interval(
    series: list[float], shown: str
) -> None:
    table = report.markdown(results(row(3, *series, unit="µs")))

    assert shown in table


def test_picture_shows_a_difference_within_the_noise_as_zero_with_its_interval() -> None:
    noise = row(4, *[-0.044] * 5, *[0.012] * 4, unit="ms")
    noise = replace(noise, what="the first URL")

    picture = plot.svg(results(noise), theme=plot.THEMES["light"])

    assert ">0 (-44 to 12 µs)<" in picture


@pytest.mark.parametrize("theme", plot.THEMES)
def test_picture_explains_its_whiskers_in_the_colour_of_its_text(theme: str) -> None:
    colours = plot.THEMES[theme]

    picture = plot.svg(results(row(1, 1.2)), theme=colours)

    assert f"fill='{colours.text}'>{plot.WHISKERS}<" in picture
    assert f"fill='{colours.background}'" in picture


@pytest.mark.parametrize("rows", [(), (row(1, 0.9, 1.2), row(4, 3.0), row(3, 5.0))])
def test_picture_is_well_formed_and_shows_each_measured_row(rows: tuple[Row, ...]) -> None:
    picture = ET.fromstring(plot.svg(results(*rows), theme=plot.THEMES["light"]))

    shown = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert shown.count("conda & co") == min(len(rows), 2)  # goal 3 shows covered URLs alone
