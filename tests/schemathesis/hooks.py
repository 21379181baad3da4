"""What schemathesis is kept from: waiting for news, which takes up to a minute, and locking its own callers out."""

import schemathesis

CALLERS = {"admin", "ROOT", "edge-1"}


def of_nobody(values):
    if isinstance(values, dict):
        for name, value in values.items():
            if isinstance(value, str) and value in CALLERS:
                values[name] = "nobody"
            else:
                of_nobody(value)


@schemathesis.hook
def before_call(context, case, kwargs):
    query = case.query
    if isinstance(query, dict) and str(query.get("wait", "")).strip().isdigit():
        query["wait"] = 0
    for values in (case.path_parameters, query, case.body):
        of_nobody(values)
