"""What known passwords are made of: words of password lists in English and pinyin, of this trade, and rows of keys."""

from __future__ import annotations

_WORDS = """
abc abcd access account admin administrator alexander amanda america andrew angel apple asd asdf asdfgh ashley
austin
baby bailey banana baseball basketball batman beautiful blahblah bonjour buster butterfly
caonima change changeme charlie cheese chelsea chocolate chouchou computer cookie cool corvette cowboys
dallas daniel database default demo diamond dolphin donald dragon dream
eagle eagles edward elephant elizabeth enter evil example
family ferrari fish flower football forever freedom friend friends fuck fuckyou future
gandalf george ginger girl golf golfer good google guest
hahaha hammer hannah happy harley hello help hockey home honey hotmail hunter
iloveu iloveyou inter internet
jackson jasmine jennifer jessica jesus jordan joshua justin
killer king kitty knight
lady letmein liverpool login london love loveyou lover lovely
maggie manager marina martin master matrix matthew maverick melissa mercedes merlin michael michelle mickey midnight
mobile monkey monster morgan mother mustang
naruto newpass newyork nicole nothing number
oracle orange oracle
pass passw passwd password patrick peace peanut pepper phoenix please pokemon power princess private purple pussy
qazwsx qwer qwert qwerty
rabbit rainbow ranger remember robert root rose runner
samantha samsung scooter secret secure security server service shadow silver sister slipknot snoopy soccer
sophie spider spiderman spring star starwars steelers student summer sun sunday sunshine super superman supervisor
sweet system
taylor temp temporary tennis test tester testing thomas thunder thx tiger tigger time trustno trustnoone
user username
vanessa victoria vip
welcome whatever william windows winner winter wizard work world
yamaha yankees yellow
zaq zxc zxcv zxcvbn zxcvbnm
aaa aini aiwo anquan baobao baobei beijing caiwu chengdu china chongqing dajia dashu fuwuqi gongsi guanli guanliyuan
guangdong guangzhou haha jiankang jiankangka kaihu kouling laopo laogong lvyou meinv mima ming nanjing nihao
shanghai sheng shenzhen shezhi shujuku sichuan tianshi tiantian tianjin wangluo weijianwei weixin weisheng woaini
woaiwojia woaiziji wodemima womenshi wuhan xiaoming xiaoxin xihuan xitong yisheng yiyuan yonghu yuanzhang zhang
zhanghao zhongguo zhongxin
card clinic code dianzi doctor ehc ehealth empi erhc health healthcard hospital medical medicine nurse operator
patient pharmacy audit auditor
100 101 110 111 112 114 115 119 120 121 123 1314 131 147 159 168 200 211 212 222 258 314 321 333 369 444 520 521
5201314 555 654 666 678 741 753 777 789 852 868 888 911 951 963 987 999 007 12306 10086 10010
"""

PIECES = frozenset(_WORDS.split())

_KEYS = (
    "01234567890",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "abcdefghijklmnopqrstuvwxyz",
    "a1b2c3d4e5f6g7h8",
    "!@#$%^&*()_+",
    "1234567890-=",
    "q1w2e3r4t5y6u7i8o9p0",
)

ROWS = _KEYS + tuple(row[::-1] for row in _KEYS)
"""Any run of three or more of these, either way."""
