"""Return codes of family A. "0" is success in the field; the rest of its table is not public: these are ours (△), and
the setting `do_codes` replaces them by the province's.
"""

from __future__ import annotations

from ehc.config import Settings
from ehc.errors import Conflict, Forbidden, InputError, NotFound, TooMany

CODES = {
    "ok": ("0", "成功"),
    "app": ("1001", "应用未登记"),
    "signature": ("1002", "签名不符"),
    "time": ("1003", "时间戳超出允许范围"),
    "replay": ("1004", "重复请求"),
    "forbidden": ("1005", "无权限"),
    "too_many": ("1006", "请求过于频繁"),
    "method": ("2001", "没有此方法"),
    "version": ("2002", "版本不支持"),
    "mode": ("2003", "签名或加密方式不支持"),
    "input": ("2004", "参数错误"),
    "not_found": ("3001", "未查到"),
    "conflict": ("3002", "当前状态不允许"),
    "refused": ("3003", "二维码无效"),
}
"""Name -> code, what it says. The names but `ok` are config.DO_FAILURES."""

_OF_ERRORS = {
    Forbidden: "forbidden",
    TooMany: "too_many",
    NotFound: "not_found",
    Conflict: "conflict",
    InputError: "input",
}


class Failure(Exception):
    """What the envelope says. detail: without personal data."""

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(name)
        self.name, self.detail = name, detail


OK = Failure("ok")


def failure_of(error: Exception) -> Failure | None:
    """None for what is no answer of a method: it goes on as a problem document."""
    if isinstance(error, Failure):
        return error
    name = next((name for kind, name in _OF_ERRORS.items() if isinstance(error, kind)), None)
    return None if name is None else Failure(name, str(error))


def said(name: str, settings: Settings) -> tuple[str, str]:
    """The code and its words."""
    own = dict(pair.split("=") for pair in settings.do_codes)
    code, words = CODES[name]
    return own.get(name, code), words
