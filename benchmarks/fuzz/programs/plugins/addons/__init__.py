"""Plugins; descriptions are collected by `describe`."""

DESCRIPTIONS = {}


def describe(text):
    def remember(kind):
        DESCRIPTIONS[kind.title()] = text
        return kind

    return remember
