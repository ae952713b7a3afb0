"""`ehc sdk` as an authority and a developer use it: the README's script, what is refused, the debugger."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from time import time

import pytest
from typer.testing import CliRunner, Result

from ehc.cli.main import app
from ehc.client import HmacKey
from ehc.crypto import http_signature as http
from ehc.crypto.http_signature import Message
from ehc.errors import edge

README = (Path(__file__).parents[2] / "ehc/sdkauth/README.md").read_text("utf-8")
SCRIPT = re.findall(r"^```sh\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)[0].replace("\\\n", "")


def ehc(line: str) -> Result:
    """One line of a shell."""
    return CliRunner().invoke(app, shlex.split(line, comments=True)[1:])


def said(done: Result) -> str:
    return f"{done.output}{done.exception or ''}"


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the README's script was run."""
    folder, key = tmp_path_factory.mktemp("sdk"), ""
    (folder / "ehc-client.whl").write_bytes(b"a wheel")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("EHC_")]:
            patch.delenv(name)
        patch.setenv("EHC_HOME", str(folder / "home"))
        patch.chdir(folder)
        for line in ["ehc keys init", *SCRIPT.splitlines()]:
            ran = ehc(line.replace("key=$(", "").replace("city-app)", "city-app").replace("$key", key))
            assert ran.exit_code == 0, said(ran)
            key = ran.stdout.strip() if line.startswith("key=") else key
        yield folder


def test_the_readme_s_script_leads_from_a_draft_to_a_key_and_a_licence(done: Path) -> None:
    assert re.fullmatch("[0-9A-F]{64}", (done / "secret.key").read_text())
    assert (done / "secret.key").stat().st_mode & 0o777 == (done / "app.key").stat().st_mode & 0o777 == 0o600
    assert (done / "ehc.licence").read_text().startswith("EHC-LICENCE-1.")
    lists = ("ehc sdk list", "ehc sdk app list", "ehc sdk grant list city-app", "ehc sdk key list city-app")
    listed = "".join(ehc(line).stdout for line in lists)
    for text in ("published", "approved", "codes", "hmac"):
        assert text in listed
    assert (done / "secret.key").read_text() not in listed


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("ehc sdk add ehc-client/1.4.0/python", 7, "there already"),
        ("ehc sdk add ehc-client/1.4/python", 3, "semantic version"),
        ("ehc sdk state ehc-client/1.4.0/python draft --reason x", 7, "may come next"),
        ("ehc sdk upload ehc-client/1.4.0/python ehc.licence", 7, "draft alone"),
        ("ehc sdk app add city-app --owner 某某 --system", 7, "choose another name"),
        ("ehc sdk app add b --owner 某某", 3, "package"),
        ("ehc sdk app add b --owner 某某 --package a.b --certificate 12", 3, "64 hex digits"),
        ("ehc sdk grant add city-app --sdk '*' --scope everything", 3, "scopes: everything"),
        ("ehc sdk grant add nobody --sdk '*' --scope codes", 7, "no app is called nobody"),
        ("ehc sdk grant add city-app --sdk '*' --scope codes --quota many", 3, "--quota"),
        ("ehc sdk key add city-app --kind rsa", 3, "--kind"),
        ("ehc sdk key add city-app --kind sm2", 3, "--public-key"),
        ("ehc sdk key download city-app k-1 -o sealed.key", 3, "there already"),
        ("ehc sdk key download city-app k-1 -o other.key", 7, "no hmac key"),
        ("ehc sdk unseal app.key --key app.key -o x", 3, "not sealed"),
        ("ehc sdk keypair -o app.key", 3, "not written over"),
        ("ehc sdk licence nobody -o x", 7, "nobody"),
        ("ehc sdk debug ehc.licence", 3, "request file"),
    ],
)
@pytest.mark.usefixtures("done")
def test_what_is_wrong_is_named(command: str, code: int, says: str) -> None:
    ran = ehc(command)
    assert ran.exception is not None
    assert edge(ran.exception).exit == code, said(ran)
    assert says in said(ran)


def test_the_debugger_shows_where_a_base_differs(done: Path) -> None:
    secret = bytes.fromhex((done / "secret.key").read_text())
    (key,) = re.findall(r"k-[0-9a-f]{24}", ehc("ehc sdk key list city-app").stdout)
    message = Message("GET", "ehc.example", "/v1/time", {"host": "ehc.example", "x-sdk": "ehc-client/1.4.0/python"})
    names = http.components_of(message, has_body=False)
    text = http.signature_input(names, created=int(time()), nonce="n" * 20, key_id=key, algorithm="hmac-sm3")
    headers = {**message.headers, **http.signature_headers(message, names, HmacKey(key, secret).sign, text)}
    lines = ["GET /v1/time HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    (done / "request.http").write_text("\r\n".join(lines))
    right = ehc("ehc sdk debug request.http")
    assert right.exit_code == 0, said(right)
    assert "WRONG" not in right.stdout
    (done / "base.txt").write_bytes(http.signature_base(message, names, text).replace(b"/v1/time", b"/v1/Time"))
    (done / "request.http").write_text("\r\n".join(lines).replace("/v1/time", "/v1/card"))
    wrong = ehc("ehc sdk debug request.http --base base.txt")
    assert wrong.exit_code == 9
    assert "5 signature  WRONG" in wrong.stdout
    assert "line 3, column 14" in wrong.stdout
    assert secret.hex().upper() not in (right.stdout + wrong.stdout).upper()
