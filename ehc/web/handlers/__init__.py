"""The endpoints' functions, one file a system: decoded in, one call into a system, rendered out. Under 20 lines each.

`async def name(call: Call, *, <parameters of the path>, query, body) -> Reply`; what the endpoint names is given;
whatever may block runs in a thread. The name is the operation's id: no two are called alike.
"""
