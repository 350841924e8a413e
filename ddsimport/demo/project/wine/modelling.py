"""From the table to a model, and how good it is."""

from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

TREES = 150


def classifier(depth):
    """The model that every step of the pipeline means."""
    forest = RandomForestClassifier(n_estimators=TREES, max_depth=depth, random_state=0)
    return make_pipeline(StandardScaler(), forest)


def measurements(table):
    return table.drop(columns="grower").to_numpy()


def cross_validate(train, depths, folds):
    """{depth: mean accuracy over the folds}"""
    return {
        str(depth): float(
            cross_val_score(
                classifier(depth), measurements(train), train["grower"], cv=folds
            ).mean()
        )
        for depth in depths
    }


def fit(train, depth):
    """A classifier of the given depth, fitted to `train`."""
    return classifier(int(depth)).fit(measurements(train), train["grower"])


def evaluate(model, test):
    """Accuracy on rows the model has not seen, and what it looked at most."""
    importances = model[-1].feature_importances_
    names = test.columns.drop("grower")
    ranked = sorted(zip(importances, names, strict=True), reverse=True)
    return {
        "accuracy": float(model.score(measurements(test), test["grower"])),
        "rows": len(test),
        "most important": [name for _, name in ranked[:2]],
    }
