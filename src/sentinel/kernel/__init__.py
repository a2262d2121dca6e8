"""Plain Python that everything else stands on: time, signed links, identities, refusals.

Owns: the one source of now (`clock`), exact business-hours arithmetic (`calendars`), the signed
links workers act through (`links`), the shape of a refusal (`errors`), stable keys and fractions
(`ids`), durations as people write them (`durations`) and which addresses are public (`addresses`).

Refuses: Django, the database, the network, configuration, and every word of the domain. A secret,
a calendar or a moment is always handed in. Whatever is here can be tested in microseconds.
"""
