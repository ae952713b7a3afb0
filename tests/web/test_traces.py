"""Traces, sent to a collector that stands in this process and speaks OTLP over HTTP."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from servers import serving
from services import settings_of

from ehc.cli.serve import start_service, stop_service

SAMPLE = {"id_type": "01", "id_number": "11010020171225006X", "name": "电子健康卡"}
CARD = "98FF9F2C05145CB9305E9D8A57E072BB51180CA49E5BE5E9D41BCE3A9A571928"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Collector(HTTPServer):
    """Keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receive)
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"

    def spans(self) -> list[object]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Receive(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            import gzip

            body = gzip.decompress(body)
        self.server.bodies.append(body)  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with serving(Collector()) as server:
        yield server


def test_every_request_is_a_span_under_the_callers_trace_and_says_nothing_of_a_person(
    tmp_path: Path, collector: Collector
) -> None:
    process, url = start_service(settings_of(tmp_path, otlp_endpoint=collector.url))
    parent = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    httpx.post(f"{url}/v1/cards", json=SAMPLE, headers=parent)
    httpx.get(f"{url}/v1/cards/{CARD}")
    body = {"payload": f"{CARD}:1", "scene": "010101"}
    httpx.post(f"{url}/v1/verify", json=body, headers=parent | {"x-request-id": "r-1"})
    httpx.post(f"{url}/v1/verify", content=b"{", headers={"content-type": "application/json"})
    stop_service(process)  # sends what is left
    spans = {span.name: span for span in collector.spans()}  # type: ignore[attr-defined]
    assert set(spans) == {"register_card", "show_card", "verify"}
    assert len(collector.spans()) == 4
    traced = [span for span in collector.spans() if span.trace_id.hex() == TRACE]  # type: ignore[attr-defined]
    assert {span.name for span in traced} == {"register_card", "verify"}  # type: ignore[attr-defined]
    assert {attribute.key for span in traced for attribute in span.attributes} == {  # type: ignore[attr-defined]
        "http.request.method",
        "http.response.status_code",
        "ehc.request_id",
    }
    sent = b"".join(collector.bodies)
    for secret in (CARD, CARD.lower(), SAMPLE["id_number"], SAMPLE["name"], "127.0.0.1"):
        assert secret.encode() not in sent


def test_nothing_is_sent_that_nobody_asked_for(tmp_path: Path, collector: Collector) -> None:
    process, url = start_service(settings_of(tmp_path, otlp_endpoint=collector.url, otlp_share=0.0))
    for _ in range(5):
        assert httpx.get(f"{url}/v1/time").is_success
    stop_service(process)
    assert collector.spans() == []


def test_a_collector_that_is_gone_harms_nobody(tmp_path: Path) -> None:
    process, url = start_service(settings_of(tmp_path, otlp_endpoint="http://127.0.0.1:9/v1/traces"))
    for _ in range(5):
        assert httpx.get(f"{url}/v1/time").is_success
    stop_service(process)
    assert process.returncode == 0
