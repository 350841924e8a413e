"""The subcommands of `python -m ddsimport`, a module each; what they share is in `common`."""
