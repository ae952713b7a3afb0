"""base45, written from RFC 9285 section 4."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def encode(data: bytes) -> str:
    text = ""
    for i in range(0, len(data), 2):
        n = int.from_bytes(data[i : i + 2], "big")
        for _ in range(3 if i + 1 < len(data) else 2):
            text += ALPHABET[n % 45]
            n //= 45
    return text


def decode(text: str) -> bytes | None:
    """None when no encoding is this text."""
    data = b""
    for i in range(0, len(text), 3):
        group = text[i : i + 3]
        if len(group) == 1 or any(character not in ALPHABET for character in group):
            return None
        n = sum(ALPHABET.index(character) * 45**k for k, character in enumerate(group))
        size = len(group) - 1
        if n >= 256**size:
            return None
        data += n.to_bytes(size, "big")
    return data
