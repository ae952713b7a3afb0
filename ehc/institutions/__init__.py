"""Who works with cards (医疗机构, 科室, 终端), what they report (用卡数据), its statistics. README.md has the map."""
