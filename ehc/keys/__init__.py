"""密钥管理 (5.3): which keys there are, in which state, and how they are sealed. README.md has the map."""
