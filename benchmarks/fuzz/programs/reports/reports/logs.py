"""Log lines, one by one."""

from itertools import cycle, islice

USERS = ["ann", "ben", "cat"]
ACTIONS = {"print": 3, "scan": 5, "copy": 2}
LIMIT = 14


def entries(limit=LIMIT):
    users, actions = cycle(USERS), cycle(ACTIONS)
    for number, (user, action) in enumerate(islice(zip(users, actions), limit)):
        month = "may" if number % 3 else "june"
        yield f"{month} {user} {action} {number * ACTIONS[action]}s"
        if number % 5 == 4:
            yield "# rotated"


def without_comments(lines):
    for line in lines:
        if not line.startswith("#"):
            yield line


def parse(line):
    month, user, action, seconds = line.split()
    return {"month": month, "user": user, "action": action, "seconds": int(seconds.rstrip("s"))}


def parse_all(lines):
    return [parse(line) for line in without_comments(lines)]
