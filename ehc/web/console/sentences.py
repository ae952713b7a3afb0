"""What errors say, in Chinese: by the sentence itself, or of a person's document by its field. An English page shows
the sentence as it is; a Chinese one shows what stands here, else the kind of error alone."""

from __future__ import annotations

from ehc.access.password import COMMON, TOO_LONG, TOO_SHORT
from ehc.access.sign_in import SAME

SENTENCES = {
    "id_type": "证件类型不正确。",
    "id_number": "证件号码不符合该证件类型的规则，请核对。",
    "name": "姓名不符合要求。",
    TOO_SHORT: "口令至少 12 个字符。",
    TOO_LONG: "口令最多 128 个字符。",
    COMMON: "口令由常见的词、日期或键盘连续字符组成，容易被猜中；建议用一句只有自己知道的话。",
    SAME: "新口令与当前口令相同。",
    "password: the two are not the same": "两次输入的新口令不一致。",
    "password: the present one is not right, or was tried too often": "当前口令不正确，或因多次失败须稍后再试。",
    "X-Purpose: say in 2 to 200 characters why this person's data is looked at": "请用 2 至 200 个字符说明查询目的。",
    "reason: say in 2 to 200 characters why": "请用 2 至 200 个字符说明原因。",
    "reason: leave out document and telephone numbers; the history is kept for ever": (
        "原因将永久保存，请不要填写证件号码或电话号码。"
    ),
    "this page is for operators of another role": "此页面供其他角色的操作员使用。",
    "this form does not belong to this session, or is too old: open the page again": "页面已过期，请重新打开后再试。",
    "this form was sent by another site": "此请求来自其他网站，已拒绝。",
    "the console is reached through TLS alone (settings tls_certificate, console_behind_tls)": (
        "控制台只能通过加密连接（TLS）访问。"
    ),
    "this is not a form of this page": "提交的内容与页面不符，请重新打开页面。",
    "the card was merged into another one: unmerge it": "该卡已合并至其他卡，须先撤销合并。",
    "no card is known by this": "没有这张健康卡。",
    "the last operator of the system cannot be disabled: add another one first": (
        "不能停用最后一名系统管理员，请先添加另一名。"
    ),
    "nobody does this to themselves": "不能对自己执行此操作。",
    "period: 1 to 92 days": "统计期间为 1 至 92 日。",
    "region: digits of GB/T 2260, two, four or six": "行政区划代码为 2、4 或 6 位数字。",
}
