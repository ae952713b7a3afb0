"""The operators' web page (操作员控制台), mounted at /console. README.md has the map."""
