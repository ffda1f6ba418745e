"""A short run of the fuzzer, without atheris: the same bytes at every run."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def fuzzer() -> ModuleType:
    """The program."""
    path = Path(__file__).parent.parent / "fuzz" / "fuzz.py"
    spec = importlib.util.spec_from_file_location("fuzz_program", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_invariant_stands_in_the_first_line(fuzzer: ModuleType) -> None:
    """The first line of the program says what it checks."""
    assert str(fuzzer.__doc__).startswith("Invariant: ")


def test_nothing_is_found_in_a_short_run(fuzzer: ModuleType) -> None:
    """A second of changed frames, bodies and bytes breaks nothing."""
    assert fuzzer.run(seconds=1) > 50


def test_the_fuzzer_finds_what_is_broken(fuzzer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that raises for some input does not pass."""

    def receive(self: object, frames: object) -> list[object]:
        raise LookupError(frames)

    monkeypatch.setattr(fuzzer.Session, "receive", receive)
    with pytest.raises(LookupError):
        fuzzer.run(seconds=1)
