"""密码机: implementations of ports.KeyService. README.md has the map."""
