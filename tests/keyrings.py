"""A keyring with keys that nobody else has, in a folder: for every suite that opens one."""

from ehc.keys.keyring import Keyring, Purpose
from ehc.store.keyring_folder import KeyringFolder

NOW = 1_767_225_600
KEY, NEXT = bytes(range(100, 116)), bytes(range(16))
PASSPHRASE = "a long passphrase of tests"


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
