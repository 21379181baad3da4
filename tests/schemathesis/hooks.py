"""What schemathesis leaves out: an answer that waits for news would wait for up to a minute."""

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    query = case.query
    if isinstance(query, dict) and "wait" in query and str(query["wait"]).strip().isdigit():
        query["wait"] = 0
