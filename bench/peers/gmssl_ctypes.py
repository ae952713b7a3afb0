"""`gmssl-python`: GmSSL's shared library through ctypes. Its module is called gmssl too, so it is loaded from its file;
it needs libgmssl where the linker finds it (LD_LIBRARY_PATH), and raises ImportError here when it is not."""

from __future__ import annotations

from importlib import metadata
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from peers import Row, composed

NAME = "gmssl-python"


def _load() -> ModuleType:
    files = metadata.files("gmssl-python") or ()
    (path,) = [file.locate() for file in files if file.name == "gmssl.py"]
    spec = spec_from_file_location("gmssl_python_ctypes", path)
    if spec is None or spec.loader is None:
        raise ImportError("gmssl-python has no gmssl.py")
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ValueError as error:
        raise ImportError(f"gmssl-python: {error}") from error
    return module


_library = _load()


def version() -> str:
    return f"gmssl-python {metadata.version('gmssl-python')}"


def sm3(data: bytes) -> bytes:
    context = _library.Sm3()
    context.update(data)
    return context.digest()


def _blocks(key: bytes, data: bytes, encrypt: bool) -> bytes:
    run = _library.Sm4(key, encrypt).encrypt
    return b"".join([run(data[i : i + 16]) for i in range(0, len(data), 16)])


def sm4_ecb(key: bytes, data: bytes) -> bytes:
    return _blocks(key, data, True)


def derive(rows: list[Row], key: bytes) -> list[str]:
    return composed.derive(rows, key, sm3, sm4_ecb)


def tokens(expiries: list[int], key: bytes) -> list[str]:
    return composed.tokens(expiries, key, sm4_ecb)


def check(payloads: list[str], key: bytes, now: int) -> list[bool]:
    return composed.check(payloads, now, lambda sealed: _blocks(key, sealed, False))
