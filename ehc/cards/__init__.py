"""账户管理 (5.5): identity -> mindex -> card id, and the life of the account. See README.md."""
