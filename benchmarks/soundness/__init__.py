"""Nothing stale, nothing needless: a suite of edits, each tried on ddsimport and on its peers.

`cases/must/*.txt` are edits that change what the program prints, `cases/must_not/*.txt` edits that
do not. `cases` reads them, `tools` runs them, `judge` compares with plain Python.
"""
