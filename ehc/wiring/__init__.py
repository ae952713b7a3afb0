"""Names every concrete class and joins them; nothing else does.

`keys.py`: who holds the keys. `stores.py`: where things are kept. `registries.py`: registries elsewhere.
`shortcuts.py`: verifications by native calls. `services.py`: the systems of a service over all of them. Each is
imported by itself: no command pays for what it does not use.
"""
