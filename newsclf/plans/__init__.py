"""What a verb would do, said without doing it: `newsclf <verb> --dry-run`, a file a verb.

A plan reads data, models and the tracking store, and writes nothing: no run, no file, no folder. It raises InputError
for what the verb itself would refuse.
"""
