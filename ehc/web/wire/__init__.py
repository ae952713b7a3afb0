"""The JSON of the service, one file a system. Decoding is strict: another type, a missing or an unknown field is
refused. A type's name is its name in the OpenAPI document: no two are called alike (tests/web/test_openapi.py)."""
