"""注册管理 (5.2): physical cards, imported, synchronised, told apart from electronic ones. README.md has the map."""
