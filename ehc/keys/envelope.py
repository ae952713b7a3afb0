"""Sending a key (密钥分发) to a machine or a region: an SM2 digital envelope, for one opening, answered by a receipt.

head, one line of JSON (who to, which key, check values, a random id, the session key under SM2, the sender's
signature over the rest) ‖ SM4-GCM of the key under the session key, the head bound as associated data ‖ tag
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ehc.crypto import KeyHandle, sm3, wipe
from ehc.crypto.sm2 import PublicKey
from ehc.errors import Conflict, InputError, NotFound
from ehc.keys.credential import Credential
from ehc.keys.identity import Identity, Point
from ehc.keys.keyring import KEY_BYTES, Entry, Keyring, KeyState, Operation, Purpose
from ehc.keys.office import Sent
from ehc.keys.sealing import NONCE_BYTES, TAG_BYTES, Nonce

Random = Callable[[int], bytes]


class Sender(NamedTuple):
    """The keyring's signing key."""

    public_key: bytes
    sign: Callable[[bytes], bytes]


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal["ehc-envelope"] = "ehc-envelope"
    id: str
    to: str  # fingerprint of the recipient
    sender: Point
    purpose: Purpose
    check_value: str
    digest_value: str
    places: tuple[str, ...]  # whose diversified key this is, from the top; none for the key itself
    at: int
    session_key: bytes  # SM2 ciphertext
    nonce: Nonce
    signature: bytes = b""

    def text(self) -> bytes:
        """What the sender signs."""
        return b"ehc envelope v1\n" + msgspec.json.encode(msgspec.structs.replace(self, signature=b""))


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The recipient's word that the key arrived."""

    format: Literal["ehc-receipt"] = "ehc-receipt"
    id: str
    check_value: str
    digest_value: str
    at: int
    signature: bytes = b""

    def text(self) -> bytes:
        return b"ehc receipt v1\n" + msgspec.json.encode(msgspec.structs.replace(self, signature=b""))


def send(
    keyring: Keyring,
    entry: Entry,
    key: bytearray,
    to: Identity,
    sender: Sender,
    *,
    now: int,
    random: Random,
    places: tuple[str, ...] = (),
) -> bytes:
    """The envelope. key: the 16 bytes that leave, entry's own or diversified from them; yours to wipe.

    Raises Conflict when the state of the entry does not let it leave.
    """
    keyring.require(entry, Operation.EXPORT)
    session = bytearray(random(KEY_BYTES))
    head = Head(
        id=random(16).hex(),
        to=to.fingerprint,
        sender=sender.public_key,
        purpose=entry.purpose,
        check_value=KeyHandle(key).check_value,
        digest_value=sm3(key).hex().upper()[:8],
        places=places,
        at=now,
        session_key=PublicKey(to.seals).encrypt(session),
        nonce=random(NONCE_BYTES),
    )
    head = msgspec.structs.replace(head, signature=sender.sign(head.text()))
    line = msgspec.json.encode(head) + b"\n"
    cipher = Cipher(algorithms.SM4(bytes(session)), modes.GCM(head.nonce)).encryptor()
    cipher.authenticate_additional_data(line)
    body = cipher.update(key) + cipher.finalize() + cipher.tag
    wipe(session)
    keyring.office.sent.append(
        Sent(id=head.id, to=to, purpose=entry.purpose, check_value=head.check_value, digest_value=head.digest_value)
    )
    keyring.note("dispense", entry, f"{head.id} to {to.name}" + (f" for {'/'.join(places)}" if places else ""))
    return line + body


def read_head(envelope: bytes) -> Head:
    """What an envelope says about itself, its signature checked. Raises InputError."""
    try:
        head = msgspec.json.decode(envelope.partition(b"\n")[0], type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InputError("this is no envelope with a key") from None
    if not (len(head.signature) == 64 and PublicKey(head.sender).verify(head.signature, head.text())):
        raise InputError("the envelope was changed: its sender's signature does not fit")
    return head


def receive(keyring: Keyring, envelope: bytes, recipient: Credential, sender: bytes, now: int) -> tuple[Entry, bytes]:
    """Open it, once: the key becomes the next version, pre-active; and the receipt to send back.

    sender: the public key that must have sent it. Raises InputError for an envelope that is not from there, not for
    this recipient or changed; Conflict for one that was opened before or a key that is there.
    """
    head = read_head(envelope)
    if head.sender != sender:
        raise InputError(f"the envelope comes from {PublicKey(head.sender).fingerprint}, not from the one expected")
    if head.to != recipient.identity.fingerprint:
        raise InputError(f"the envelope is for {head.to}, not for {recipient.identity.name}")
    if head.id in keyring.office.opened:
        raise Conflict("this envelope was opened before: it serves once; ask for a new one")
    key = _opened(envelope, head, recipient)
    try:
        entry = keyring.add(head.purpose, key, now, state=KeyState.PRE_ACTIVE)
    finally:
        wipe(key)
    keyring.office.opened.append(head.id)
    keyring.note("import", entry, f"envelope {head.id} from {PublicKey(sender).fingerprint}")
    receipt = Receipt(id=head.id, check_value=entry.check_value, digest_value=entry.digest_value, at=now)
    receipt = msgspec.structs.replace(receipt, signature=recipient.sign(receipt.text()))
    return entry, msgspec.json.encode(receipt) + b"\n"


def _opened(envelope: bytes, head: Head, recipient: Credential) -> bytearray:
    line, _, body = envelope.partition(b"\n")
    key, room = bytearray(KEY_BYTES), bytearray(len(body) + 15)
    session = recipient.open(head.session_key)
    try:
        cipher = Cipher(algorithms.SM4(bytes(session)), modes.GCM(head.nonce, body[-TAG_BYTES:])).decryptor()
        cipher.authenticate_additional_data(line + b"\n")
        size = cipher.update_into(body[:-TAG_BYTES], room)
        cipher.finalize()
        key[:] = room[:size]
        if (KeyHandle(key).check_value, sm3(key).hex().upper()[:8]) != (head.check_value, head.digest_value):
            raise InputError("the key in the envelope has other check values than its head says")
        return key
    except (InvalidTag, ValueError):
        wipe(key)
        raise InputError("the envelope does not open: it was changed") from None
    finally:
        wipe(room)
        wipe(session)


def acknowledge(keyring: Keyring, receipt: bytes) -> Sent:
    """Note the recipient's receipt. Raises InputError for one that was not signed by it, NotFound, Conflict for one
    that came before."""
    try:
        found = msgspec.json.decode(receipt, type=Receipt)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InputError("this is no receipt") from None
    sent = next((one for one in keyring.office.sent if one.id == found.id), None)
    if sent is None:
        raise NotFound(f"no envelope {found.id} was sent from this keyring")
    same = (found.check_value, found.digest_value) == (sent.check_value, sent.digest_value)
    if not same or not sent.to.signed(found.signature, found.text()):
        raise InputError(f"the receipt is not {sent.to.name}'s word for this key")
    if sent.received_at:
        raise Conflict(f"the receipt of envelope {sent.id} is here already")
    done = msgspec.structs.replace(sent, received_at=found.at)
    keyring.office.sent[keyring.office.sent.index(sent)] = done
    keyring.note_of("receipt", sent.purpose, f"{sent.id} from {sent.to.name}")
    return done
