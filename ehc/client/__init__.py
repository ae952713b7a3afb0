"""The client SDK: what an app or a hospital needs of the service, over httpx. README.md has examples.

    from ehc.client import Client, HmacKey

    with Client("https://ehc.example", HmacKey("k-1", key), sdk="ehc-client/1.4.0/python") as client:
        card = client.register("01", "11010020171225006X", "电子健康卡")

`AsyncClient` has the same methods, to be awaited. Errors are those of ehc.errors.
"""

from ehc.client.calls import AsyncClient, Client
from ehc.client.signing import BearerKey, HmacKey, Sm2Key

__all__ = ["AsyncClient", "BearerKey", "Client", "HmacKey", "Sm2Key"]
