"""The original's form in Python's spelling; the rules are in the shared vectors."""

from strapline_client.health import health_data
from strapline_protocol.watching import SummaryData
from tests.unit.client.test_state import steps


def said(**fields: object) -> SummaryData:
    return SummaryData.model_validate({"summary": fields, "at_ms": 1})


def test_it_is_read_by_pythons_names_and_written_by_the_wires() -> None:
    health = health_data({"summary": said(heartRate={"average": 75, "resting": 52})})
    assert health.heart_rate is not None
    assert health.heart_rate.average == 75
    assert health.heart_rate.model_extra == {"resting": 52}
    assert health.model_dump(by_alias=True)["heartRate"]["average"] == 75


def test_what_has_no_name_of_its_own_is_among_the_others() -> None:
    health = health_data({"steps": steps(7), "summary": said(sleep={"hours": 7.5})})
    assert health.steps == 7
    assert health.others["sleep"] == {"hours": 7.5}
    assert health.others["summary"] == said(sleep={"hours": 7.5})


def test_what_is_no_number_is_no_count_and_no_rate() -> None:
    health = health_data(
        {"summary": said(steps="many", battery=True, heartRate={"average": "fast"})}
    )
    assert (health.steps, health.battery) == (None, None)
    assert health.heart_rate is not None
    assert health.heart_rate.average is None


def test_what_is_the_servers_to_say_is_not_taken_from_elsewhere() -> None:
    health = health_data({"summary": said(heartRate={"freshForMs": 9, "last": 3}, batteries=[1])})
    assert health.heart_rate is not None
    assert (health.heart_rate.fresh_for_ms, health.heart_rate.last) == (None, None)
    assert health.batteries == []


def test_a_host_application_names_its_fields_as_it_likes() -> None:
    names = ("cls", "_fields_set", "self", "values", "model_fields_set", "others")
    fields = {name: {"n": 1} for name in names}
    health = health_data({"summary": said(**fields, heartRate=dict(fields))})
    assert {name: health.others[name] for name in names} == fields
    assert health.heart_rate is not None
    assert health.heart_rate.model_extra == fields
    told = health.model_dump(mode="json", by_alias=True)
    assert {name: told[name] for name in names} == fields
    assert health_data({}).others == {}
