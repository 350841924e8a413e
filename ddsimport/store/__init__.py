"""Where values are kept: signature → entry, content → blob, path → readable file.

`store.store.Store` is the surface; the other modules are its parts, one concern each. Entries and
blobs are plain files and the only truth; `index` is derived from them and may be deleted at any
time.
"""
