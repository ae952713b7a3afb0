"""Who goes away while an answer streams is a line of the log, and no error."""

import json
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

from services import log_of, settings_of, wait_for

from ehc.cli.serve import start_service, stop_service

HEAD = (
    b"POST /v1/cards/bulk/ndjson HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
    b"Content-Length: %d\r\n\r\n"
)


def test_a_client_that_breaks_off_a_streamed_answer_is_one_line_without_a_stack(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    people = ({"id_type": "03", "id_number": f"E{i:08}", "name": "TEST PERSON"} for i in range(20_000))
    body = b"".join(json.dumps(person).encode() + b"\n" for person in people)
    process, url = start_service(settings)
    try:
        with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), 30) as connection:
            connection.sendall(HEAD % len(body) + body)
            assert connection.recv(64).startswith(b"HTTP/1.1 200")
        wait_for(lambda: "register_ndjson" in log_of(settings))
        time.sleep(0.1)
    finally:
        stop_service(process)
    lines = [json.loads(line) for line in log_of(settings).splitlines() if line.startswith("{")]
    (gone,) = [line for line in lines if line.get("endpoint") == "register_ndjson"]
    assert (gone["level"], gone["status"], gone["problem"]) == ("info", 200, "gone")
    assert not [line for line in lines if line["level"] == "error"]
