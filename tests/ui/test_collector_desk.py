"""The desk in memory has the services' own signatures."""

from __future__ import annotations

import inspect

import pytest

from agent_desktop.services.calls import CallService
from agent_desktop.services.cases import CaseService
from agent_desktop.services.status import StatusService
from agent_desktop.services.wrap_up import WrapUpService
from tests.ui import desk


@pytest.mark.parametrize(
    ("real", "memory"),
    [
        (CaseService, desk.MemoryCases),
        (CallService, desk.MemoryCalls),
        (WrapUpService, desk.MemoryWrapUp),
        (StatusService, desk.MemoryStatus),
    ],
)
def test_signatures_are_the_services(real: type, memory: type) -> None:
    ours = {
        name: member
        for name, member in inspect.getmembers(memory, inspect.isfunction)
        if not name.startswith("_") and name != "show"
    }
    assert ours
    for name, member in ours.items():
        assert inspect.signature(member) == inspect.signature(getattr(real, name)), f"{real.__name__}.{name}"
