"""The pages' functions, one file a subject: `def name(visit: Visit, *, <of the path>, form, query) -> Response`.

They run in a thread and call the same systems as the API's handlers do; the name is the page's, in logs, looks, deeds.
"""
