from __future__ import annotations

import os
import threading
import warnings

import pytest

from edgecnn_runtime.quiet import quiet, unwarned


def test_standard_error_is_hidden_and_given_back(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet(), quiet():
        os.write(2, b"hidden\n")
    os.write(2, b"seen\n")
    with pytest.raises(ZeroDivisionError), quiet():
        1 / 0  # noqa: B018
    os.write(2, b"seen\n")
    assert capfd.readouterr().err == "seen\nseen\n"


def test_threads_do_not_lose_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    def enter_often() -> None:
        for _ in range(200):
            with quiet():
                os.write(2, b"hidden\n")

    threads = [threading.Thread(target=enter_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"seen\n")
    assert capfd.readouterr().err == "seen\n"


def test_a_closed_standard_error_does_not_matter(capfd: pytest.CaptureFixture[str]) -> None:
    before = os.dup(2)
    try:
        os.close(2)
        with quiet():
            pass
    finally:
        os.dup2(before, 2)
        os.close(before)
    assert capfd.readouterr().err == ""


def test_warnings_stay_away_from_all_threads_and_come_back() -> None:
    def enter_often() -> None:
        for _ in range(300):
            with unwarned, unwarned:
                warnings.warn("hidden", stacklevel=1)

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        filters = list(warnings.filters)
        threads = [threading.Thread(target=enter_often) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert warnings.filters == filters
        warnings.warn("seen", stacklevel=1)
    assert [str(each.message) for each in seen] == ["seen"]
