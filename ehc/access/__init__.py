"""Who may use the service (访问控制): callers (apps and institutions), their scopes and rates, looks at people."""
