"""Figures as text; how is looked up when it is needed."""


def table(values, order):
    from styles import STYLE

    def row(name):
        return f"{name:<{STYLE.width}}{STYLE.mark * values[name]}"

    return STYLE.separator.join(row(name) for name in order if values[name] >= STYLE.least)
