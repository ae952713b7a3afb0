"""What the scanner test page says of a scan: what had to be repaired, and what to change so that it need not be."""

from __future__ import annotations

from ehc.reader.repairs import Repair
from ehc.reader.typed import Typed
from ehc.terminal import events

ADVICE: dict[Repair, tuple[str, str]] = {
    Repair.CONTROLS: (
        "扫码枪发送了控制字符：关闭 STX/ETX 前后缀或 GS1 控制字符。",
        "The scanner sends control characters: switch off its STX and ETX, or GS1 separators.",
    ),
    Repair.PARITY: (
        "串口校验位不一致：两端都设为 8 位、无校验。",
        "The serial line has a parity bit: set both ends to 8 bits without parity.",
    ),
    Repair.IDENTIFIER: (
        "扫码枪在码前发送码制标识：关闭 AIM ID / Code ID。",
        "The scanner sends a symbology identifier first: switch off AIM ID or Code ID.",
    ),
    Repair.WIDTH: (
        "输入法处于全角或中文标点状态：切换到英文半角。",
        "The input method is set to full width or Chinese punctuation: switch to half-width English.",
    ),
    Repair.STUCK_SHIFT: (
        "Shift 键被按住或卡住：检查键盘，关闭粘滞键。",
        "Shift is held or stuck: look at the keyboard, switch off sticky keys.",
    ),
    Repair.LOST_SHIFT: (
        "Shift 未生效（冒号变为分号）：降低扫码枪按键速度，增大键间隔。",
        "Shift gets lost (`:` becomes `;`): give the scanner a longer delay between keys.",
    ),
    Repair.LAYOUT: (
        "扫码枪与电脑的键盘布局不同：把扫码枪的国家键盘设为与电脑一致（美式）。",
        "Scanner and computer are set to different keyboards: set the scanner's country to the computer's (US).",
    ),
    Repair.KEYS: (
        "中文输入法吞掉了字符：扫码时切换到英文输入法，或使用虚拟串口模式。",
        "An input method swallowed characters: switch to English, or set the scanner to virtual serial port.",
    ),
    Repair.CASE: (
        "大小写被反转：关闭 Caps Lock，或关闭扫码枪的大小写转换。",
        "The case is inverted: switch off Caps Lock, or the scanner's case conversion.",
    ),
    Repair.COLONS: (
        "冒号丢失：检查扫码枪键盘布局与输入法，不能依赖自动补全。",
        "Colons get lost: look at the scanner's keyboard layout and the input method. They cannot always be put back.",
    ),
    Repair.TWICE: (
        "同一码发送了两次：增大扫码枪的重复读取延时。",
        "The code was sent twice: give the scanner a longer time before it reads the same code again.",
    ),
    Repair.JOINED: (
        "一次扫码中途停顿：检查连接（蓝牙、集线器）与键间隔。",
        "The scan stopped on its way: look at the connection (Bluetooth, hub) and the delay between keys.",
    ),
}
NO_SUFFIX = (
    "没有后缀：请把扫码枪后缀设为回车（CR），每次可快 0.8 秒，且不会丢失裸码。",
    "No suffix: set it to CR. Each scan is 0.8 s faster then, and none is lost.",
)
NOTHING = ("设置良好，无需更改。", "All is well: nothing to change.")


def typed_event(scanned: Typed) -> events.Typed:
    zh, en = scanned.found.sentence
    advice = [ADVICE[repair] for repair in scanned.repairs]
    if not scanned.suffix:
        advice.append(NO_SUFFIX)
    return events.Typed(
        raw=scanned.raw,
        payload=scanned.payload or None,
        what=scanned.found.what,
        zh=zh,
        en=en,
        suffix=scanned.suffix,
        seconds=round(scanned.ended - scanned.started, 4),
        repairs=tuple(str(repair) for repair in scanned.repairs),
        advice=tuple(advice) or ((NOTHING,) if scanned.payload else ()),
    )
