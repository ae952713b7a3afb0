"""Who may use the service (访问控制): callers, their scopes and rates, looks at people. README.md has the map."""
