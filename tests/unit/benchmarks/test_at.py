"""The settings that the benchmark gives its stores without reading them."""

from __future__ import annotations

from benchmarks.dataplane.clients.at import At
from pydantic_core import PydanticUndefined

from common.adapters.objects.configuration import LocationConfig


def test_they_are_fields_of_every_location_with_their_defaults() -> None:
    given = {name: At._field_defaults.get(name) for name in At._fields}
    read = {
        name: None if field.default is PydanticUndefined else field.default
        for name, field in LocationConfig.model_fields.items()
    }

    assert given == {name: read[name] for name in given}
