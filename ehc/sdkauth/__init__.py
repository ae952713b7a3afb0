"""SDK authorisation (5.4 SDK授权管理): which apps may use which SDK for what. README.md has the map."""
