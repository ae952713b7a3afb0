"""From a person to a card (domain of the standard's 5.1 and 5.5): mindex, factor, user key, card id."""

from typing import NamedTuple

from reference.sm3 import sm3
from reference.sm4 import ecb_encrypt


class Card(NamedTuple):
    mindex: bytes  # 主索引ID
    factor: bytes  # 分散因子
    user_key: bytes  # 用户身份认证密钥
    card_id: bytes  # 电子健康卡ID


def derive(id_type: str, id_number: str, name: str, security_key: bytes) -> Card:
    identity = (id_type + id_number).encode("ascii")
    mindex = sm3(identity + name.encode("utf-8"))
    factor = bytes(mindex[i] ^ mindex[i + 8] ^ mindex[i + 16] ^ mindex[i + 24] for i in range(8))
    user_key = ecb_encrypt(security_key, factor + bytes(255 - b for b in factor))
    return Card(mindex, factor, user_key, ecb_encrypt(user_key, identity.ljust(32, b"\0")))
