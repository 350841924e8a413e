"""From numbers to what people read."""

import io

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt


def headline(stats):
    first, second = stats["most important"]
    return (
        f"{stats['accuracy']:.1%} of {stats['rows']} unseen wines, mostly by {first} and {second}"
    )


def draw(table, stats):
    """The PNG bytes of a scatter plot of the two most important measurements."""
    first, second = stats["most important"]
    figure, axes = plt.subplots(figsize=(6, 4))
    for grower, wines in table.groupby("grower"):
        axes.scatter(wines[first], wines[second], label=f"grower {grower}", s=14)
    axes.set(xlabel=first, ylabel=second, title=headline(stats))
    axes.legend()
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=120)
    plt.close(figure)
    return image.getvalue()
