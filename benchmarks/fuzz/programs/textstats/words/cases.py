"""Functions made in a loop."""


def _make(method):
    def change(word):
        return getattr(word, method)()

    change.__name__ = method
    return change


CASES = {}
for _name in ("upper", "title", "lower"):
    CASES[_name] = _make(_name)


def make_case(name, fallback="lower"):
    change = CASES.get(name)
    if change is None:
        change = CASES[fallback]
    return change
