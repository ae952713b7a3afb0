"""The master index over HTTP: its own interface, and FHIR R4, whose answers a FHIR library reads strictly."""

from collections.abc import Callable
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome
from fhir.resources.R4B.parameters import Parameters
from fhir.resources.R4B.patient import Patient

RESIDENT = "urn:ehc:domain:resident-id"
SAMPLE = "11010020171225006X"
NAME = "电子健康卡"
PURPOSE = {"x-purpose": "a test"}
FHIR = {"content-type": "application/fhir+json"} | PURPOSE


@pytest.fixture
def indexed(service: Any) -> Any:
    for hospital in ("H1", "H2"):
        made = {"code": f"visit-card/{hospital}", "name": f"{hospital}就诊卡", "authority": hospital}
        assert service.post("/v1/index/domains", made).status_code == 201
    return service


def put(service: Any, hospital: str, local_id: str, **said: Any) -> dict[str, Any]:
    answer = service.post("/v1/index/records", {"source": f"visit-card/{hospital}", "local_id": local_id} | said)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


def person(service: Any, hospital: str = "H1", local_id: str = "1", **said: Any) -> dict[str, Any]:
    known = {"name": NAME, "birth_date": "2017-12-25", "sex": "2", "identifiers": {"resident-id": SAMPLE}}
    return put(service, hospital, local_id, **known | said)


def test_domains_are_registered_once(indexed: Any) -> None:
    again = indexed.post("/v1/index/domains", {"code": "visit-card/H1", "name": "x", "authority": "H1"})
    assert again.status_code == 409
    listed = {one["code"]: one for one in indexed.get("/v1/index/domains").json()["domains"]}
    assert listed["resident-id"]["single"]
    assert not listed["visit-card/H1"]["strong"]


def test_a_record_is_new_then_linked_then_unchanged(indexed: Any) -> None:
    first, second = person(indexed), person(indexed, "H2", "9")
    assert (first["outcome"], second["outcome"], second["rule"]) == ("new", "linked", "strong:resident-id")
    assert second["person"] == first["person"]
    assert person(indexed, "H2", "9")["outcome"] == "unchanged"


@pytest.mark.parametrize(
    "wrong",
    [
        {"sex": "3"},
        {"birth_date": "2017-13-01"},
        {"phone": "abc"},
        {"name": "a\u0001"},
        {"birth_order": "0"},
        {"identifiers": {"passport": "护照"}},
    ],
)
def test_what_is_wrong_with_a_record_is_said_without_its_value(indexed: Any, wrong: dict[str, Any]) -> None:
    answer = indexed.post("/v1/index/records", {"source": "visit-card/H1", "local_id": "1"} | wrong)
    assert answer.status_code == 422
    [(field, value)] = wrong.items()
    assert field.rstrip("s") in answer.json()["detail"]
    assert str(value) not in answer.json()["detail"]


def test_an_unregistered_source_is_not_found(indexed: Any) -> None:
    answer = indexed.post("/v1/index/records", {"source": "visit-card/H7", "local_id": "1"})
    assert (answer.status_code, "register it first" in answer.json()["detail"]) == (404, True)


def test_merge_unmerge_and_link_by_hand(indexed: Any) -> None:
    one, two = put(indexed, "H1", "1", name="王一"), put(indexed, "H1", "2", name="李二")
    merged = indexed.post(f"/v1/index/persons/{two['person']}/merge", {"other": one["person"], "reason": "a test"})
    assert merged.json() == {"person": one["person"]}
    assert indexed.get(f"/fhir/Patient/{two['person']}", headers=PURPOSE).json()["id"] == str(one["person"])
    undone = indexed.post(f"/v1/index/persons/{two['person']}/unmerge", {"reason": "a test"})
    assert undone.json() == {"person": two["person"]}
    again = indexed.post(f"/v1/index/persons/{two['person']}/unmerge", {"reason": "a test"})
    assert again.status_code == 409
    linked = indexed.post(f"/v1/index/records/{two['record']}/link", {"person": one["person"], "reason": "a test"})
    assert linked.json() == {"person": one["person"]}
    away = indexed.post(f"/v1/index/records/{two['record']}/link", {"person": None, "reason": "a test"})
    assert away.json()["person"] not in (one["person"], two["person"])
    kinds = [event["kind"] for event in indexed.get("/v1/index/events").json()["events"]]
    assert kinds == ["recorded", "recorded", "merged", "unmerged", "apart", "moved", "moved", "apart"]


def test_a_consumer_goes_on_where_it_was_and_backwards_never(indexed: Any) -> None:
    person(indexed)
    person(indexed, "H2", "9")
    at = "/v1/index/consumers/billing"
    assert indexed.get(at).json() == {"consumer": "billing", "event": 0}
    assert indexed.request("PUT", at, json={"event": 1}).json()["event"] == 1
    [rest] = indexed.get("/v1/index/events", params={"after": 1}).json()["events"]
    assert (rest["number"], rest["kind"], rest["person"]) == (2, "recorded", 1)
    assert indexed.request("PUT", at, json={"event": 0}).json()["event"] == 1
    assert indexed.request("PUT", at, json={"event": 9}).status_code == 422


def test_two_readers_decide_a_task(indexed: Any, bearer: Callable[..., dict[str, str]]) -> None:
    put(indexed, "H1", "1", name="周海", birth_date="1990-01-01", phone="13800000001")
    [number] = put(indexed, "H2", "1", name="周海", birth_date="1990-02-02", phone="13800000001")["reviews"]
    readers = [bearer(name, "index:review") for name in ("li.na", "wang.wei")]
    at = f"/v1/index/reviews/{number}"
    for headers in readers:
        unclaimed = indexed.post(f"{at}/decide", {"answer": "same", "reason": "a test"}, headers=headers)
        assert unclaimed.status_code == 409
        assert indexed.post(f"{at}/claim", headers=headers).status_code == 200
        answer = indexed.post(f"{at}/decide", {"answer": "same", "reason": "same phone"}, headers=headers)
        assert answer.status_code == 200, answer.text
    assert answer.json()["answer"] == "same"
    assert [vote["by"] for vote in answer.json()["votes"]] == ["li.na", "wang.wei"]
    assert indexed.get("/v1/index/reviews", headers=readers[0]).json() == {"reviews": []}
    assert indexed.post(f"{at}/claim", headers=readers[0]).status_code == 409


# --- FHIR


def test_a_person_is_a_patient(indexed: Any) -> None:
    key = person(indexed, phone="13800000001", address="人民路1号", birth_order="1")["person"]
    person(indexed, "H2", "9")
    answer = indexed.get(f"/fhir/Patient/{key}", headers=PURPOSE)
    assert answer.headers["content-type"] == "application/fhir+json"
    patient = Patient.model_validate_json(answer.content)
    assert (patient.name[0].text, patient.gender, str(patient.birthDate)) == (NAME, "female", "2017-12-25")
    assert patient.multipleBirthInteger == 1
    numbers = {(one.system, one.value) for one in patient.identifier}
    assert {(RESIDENT, SAMPLE), ("urn:ehc:domain:visit-card/H2", "9")} <= numbers
    assert not any("mindex" in system for system, _ in numbers)  # it never leaves the system


def test_every_person_that_is_shown_is_a_look_with_its_purpose(indexed: Any) -> None:
    key = person(indexed)["person"]
    assert indexed.get(f"/fhir/Patient/{key}").status_code == 422  # no purpose
    indexed.get(f"/fhir/Patient/{key}", headers=PURPOSE)
    indexed.get("/fhir/Patient", params={"identifier": f"{RESIDENT}|{SAMPLE}"}, headers=PURPOSE)
    looks = [(look.what, look.purpose) for look in indexed.services.looks.looks()]
    assert looks == [(f"search_patients person {key}", "a test"), (f"read_patient person {key}", "a test")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"identifier": f"{RESIDENT}|{SAMPLE.lower()}"}, 1),
        ({"identifier": f"{RESIDENT}|{SAMPLE}", "birthdate": "2017-12-26"}, 0),
        ({"identifier": f"{RESIDENT}|110100201712250158"}, 0),
        ({"identifier": f"urn:oid:1.2.3|{SAMPLE}"}, 0),  # no domain has this system
        ({"name": "电子 健康卡", "birthdate": "2017-12-25"}, 1),
        ({"name": NAME, "birthdate": "eq2017-12-25", "gender": "male"}, 0),
        ({"name": NAME, "phone": "13800000001"}, 1),
    ],
)
def test_patients_are_searched_by_what_tells_them_apart(indexed: Any, query: dict[str, str], found: int) -> None:
    person(indexed, phone="13800000001")
    answer = indexed.get("/fhir/Patient", params=query, headers=PURPOSE)
    assert answer.json()["resourceType"] == "Bundle"  # the library would not miss it
    assert Bundle.model_validate_json(answer.content).total == found


@pytest.mark.parametrize("query", [{}, {"name": NAME}, {"identifier": SAMPLE}])
def test_a_search_for_too_little_is_refused(indexed: Any, query: dict[str, str]) -> None:
    assert indexed.get("/fhir/Patient", params=query, headers=PURPOSE).status_code == 422


def test_match_says_who_it_may_be_field_by_field(indexed: Any) -> None:
    key = person(indexed, phone="13800000001")["person"]
    asked = Patient(
        name=[{"family": "电子", "given": ["健康卡"]}],
        birthDate="2017-12-25",
        gender="female",
        telecom=[{"system": "phone", "value": "138 0000 0001"}],
    )
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "resource", "resource": asked.model_dump(mode="json")},
            {"name": "count", "valueInteger": 3},
        ],
    }
    answer = indexed.request("POST", "/fhir/Patient/$match", json=body, headers=FHIR)
    assert answer.status_code == 200, answer.text
    [entry] = Bundle.model_validate_json(answer.content).entry
    assert (entry.resource.id, entry.search.extension[0].valueCode) == (str(key), "certain")
    assert entry.search.score > 0.99
    parts = {tuple(str(p.valueString or p.valueDecimal) for p in one.extension) for one in entry.search.extension[1:]}
    assert {(field, level) for field, level, _ in parts} >= {
        ("name", "equal"),
        ("phone", "equal"),
        ("number", "unknown"),
    }
    nobody = body | {"parameter": []}
    assert indexed.request("POST", "/fhir/Patient/$match", json=nobody, headers=FHIR).status_code == 422


def test_pix_goes_from_one_domain_to_the_others(indexed: Any) -> None:
    person(indexed)
    person(indexed, "H2", "9")
    query = {"sourceIdentifier": "urn:ehc:domain:visit-card/H1|1", "targetSystem": "urn:ehc:domain:visit-card/H2"}
    answer = indexed.get("/fhir/Patient/$ihe-pix", params=query, headers=PURPOSE)
    [target] = Parameters.model_validate_json(answer.content).parameter
    assert (target.name, target.valueIdentifier.value) == ("targetIdentifier", "9")
    everything = indexed.get("/fhir/Patient/$ihe-pix", params=query | {"targetSystem": ""}, headers=PURPOSE).json()
    assert everything["parameter"][0] == {"name": "targetId", "valueReference": {"reference": "Patient/1"}}
    unknown = query | {"sourceIdentifier": "urn:ehc:domain:visit-card/H1|2"}
    assert indexed.get("/fhir/Patient/$ihe-pix", params=unknown, headers=PURPOSE).status_code == 404


def test_no_person_s_data_is_logged(indexed: Any) -> None:
    person(indexed, phone="13800000001")
    indexed.get("/fhir/Patient", params={"identifier": f"{RESIDENT}|{SAMPLE}"}, headers=PURPOSE)
    indexed.get("/fhir/Patient", params={"name": NAME}, headers=PURPOSE)
    logged = indexed.log.getvalue()
    assert not any(secret in logged for secret in (SAMPLE, NAME, "13800000001"))


@pytest.fixture
def bearer(indexed: Any) -> Callable[..., dict[str, str]]:
    from test_callers import bearer as register

    return lambda name, *scopes: register(indexed, name, *scopes)


def test_what_the_service_speaks_of_fhir_is_told_to_everybody(indexed: Any) -> None:
    answer = indexed.get("/fhir/metadata")
    assert answer.headers["content-type"] == "application/fhir+json"
    told = CapabilityStatement.model_validate_json(answer.content)
    [patient] = told.rest[0].resource
    assert (told.fhirVersion, patient.type, [one.code for one in patient.interaction]) == (
        "4.0.1",
        "Patient",
        ["read", "search-type"],
    )
    paths = indexed.get("/openapi.json").json()["paths"]
    asked = {one["name"] for one in paths["/fhir/Patient"]["get"]["parameters"] if one["in"] == "query"}
    assert {one.name for one in patient.searchParam} == asked - {"_count"}
    assert {f"/fhir/Patient/${one.name}" for one in patient.operation} == {path for path in paths if "$" in path}


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/fhir/Patient/999", PURPOSE, 404, "not-found"),
        ("/fhir/Patient/one", PURPOSE, 404, "not-found"),
        ("/fhir/Patient/1", {}, 422, "invalid"),
        ("/fhir/Patient?identifier=x", PURPOSE, 422, "invalid"),
        ("/fhir/Encounter", PURPOSE, 404, "not-supported"),
    ],
)
def test_what_is_wrong_is_an_operation_outcome(
    indexed: Any, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = indexed.get(path, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/fhir+json")
    assert answer.json()["resourceType"] == "OperationOutcome"  # the library would not miss it
    [issue] = OperationOutcome.model_validate_json(answer.content).issue
    assert (issue.severity, issue.code) == ("error", code)
    assert issue.diagnostics


def test_a_body_that_is_no_fhir_is_an_operation_outcome(indexed: Any) -> None:
    for body, status, code in ((b"{", 400, "structure"), (b'{"resourceType": "Patient"}', 422, "invalid")):
        answer = indexed.post("/fhir/Patient/$match", content=body, headers=FHIR)
        [issue] = OperationOutcome.model_validate_json(answer.content).issue
        assert (answer.status_code, issue.code) == (status, code)
