"""From the file to a table."""

import pandas as pd

MEASUREMENTS = (
    "alcohol",
    "malic_acid",
    "ash",
    "ash_alkalinity",
    "magnesium",
    "phenols",
    "flavanoids",
    "other_phenols",
    "proanthocyanins",
    "colour",
    "hue",
    "dilution",
    "proline",
)


def read(path):
    """The table as measured. The file's first line counts rows and names classes: it is skipped."""
    return pd.read_csv(path, skiprows=1, names=[*MEASUREMENTS, "grower"])
