"""Values: what a value is (its digest), and how it becomes a file and comes back (codecs, views).

This room knows nothing of steps, stores or code analysis: `digest.digest` takes the meaning of
functions and classes from its caller, and codecs read and write what the store hands them.
"""
