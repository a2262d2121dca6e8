"""The roster import: from the bytes of an office's CSV file to changed workers, all or nothing.

`decoding` finds out how the bytes are written, `headers` which column means what, `cells` cleans one
value, `reading` turns the file into rows, `matching` finds whom each row means, `diff` says what
would change, `summary` puts it into plain JSON, `comparing` and `storing` speak with the database.
Everything but the last two is pure. It refuses to guess: what is not certain is a conflict or a
rejected line with its number and reason, and nothing in a file ever erases what is known.
"""
