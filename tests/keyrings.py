"""A keyring with keys that nobody else has, in a folder: for every suite that opens one."""

from ehc.keys.keyring import Keyring, Purpose
from ehc.store.keyring_folder import KeyringFolder

NOW = 1_767_225_600
KEY, NEXT = bytes(range(100, 116)), bytes(range(16))
PASSPHRASE = "a long passphrase of tests"

VERSION_1_SECRET = b"\x5a" * 32
VERSION_1 = (
    b'{"format":"ehc-keyring","version":1,"key":{"type":"key_file","salt":"AAECAwQFBgcICQoLDA0ODw=="},'
    b'"nonce":"AAECAwQFBgcICQoL"}\n'
    + bytes.fromhex(
        "0f7b5aaf3ecef3dab7f0e30d2b3b03968ca466e177199126886783c4c5583a1b1c8f18d9eb8261e9a3086bb1efbe02b1"
        "ccb8b7f9a1281fa747077760a85f91ca710e35a972610bf1407d6396d24097da23430f3453f443ce8f8a13cd45c8c4d1"
        "6d80cc3f1eb3426c8c5eac6e9f69cdfc356f3af966d89450e11264855f174d42a840734db16165e9770c1635ffbbbbbe"
        "293b6cd5fbb3067f28aa7332120b82"
    )
)
"""A sealed document of version 1: security keys, version 2 active, and a protection key."""


def keyring(*keys):
    """Of security keys; KEY if none is named."""
    ring = Keyring()
    for key in keys or (KEY,):
        ring.add(Purpose.SECURITY_KEY, bytearray(key), NOW)
    return ring


def created(path):
    """The folder there, with that keyring under a key file."""
    folder = KeyringFolder(path)
    folder.create(keyring())
    return folder
