"""The functions here have the limits that the template gives them."""

import pytest

from local.declared import BATCH, PREDICT, Declared
from tests.template import translated


@pytest.mark.parametrize("declared", [PREDICT, BATCH], ids=lambda declared: declared.name)
def test_handler_time_out_and_memory_are_the_templates(declared: Declared) -> None:
    template = translated()
    properties = template["Resources"][f"{declared.name.capitalize()}Function"]["Properties"]
    memory = template["Parameters"][properties["MemorySize"]["Ref"]]["Default"]
    assert (properties["ImageConfig"]["Command"], properties["Timeout"], memory) == (
        [declared.handler],
        declared.seconds,
        declared.megabytes,
    )
