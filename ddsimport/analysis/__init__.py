"""What code says, without running it: text -> facts -> what a step reaches -> one hash.

`facts` tells what one file defines and refers to (libcst's parser, a walk of our own), `resolve`
follows names from file to file, `codehash` turns what a step reaches into one hash and a list of
names whose live value counts. Nothing here executes or imports the user's code.
"""
