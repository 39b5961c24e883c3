"""Answers rrule_test.go: for each rule on standard input (JSON), its days by dateutil.

DTSTART is moved to the first day that the rule names, because the days of a rule
that does not name its own DTSTART are undefined.
"""

import json
import sys
from datetime import datetime

from dateutil.rrule import rrulestr

FORM = "%Y%m%dT%H%M%S"


def days(question):
    start = datetime.strptime(question["start"], FORM)
    for _ in range(4):
        rule = rrulestr(question["rule"], dtstart=start)
        first = next(iter(rule), None)
        if first is None or first == start:
            break
        start = first
    else:
        first = None
    if first is None:
        return {"start": ""}
    until = datetime.strptime(question["to"], FORM)
    begin = datetime.strptime(question["from"], FORM)
    found = []
    for day in rule:
        if day >= until:
            break
        if day >= begin:
            found.append(day.strftime(FORM))
    return {"start": start.strftime(FORM), "days": found}


json.dump([days(question) for question in json.load(sys.stdin)], sys.stdout)
