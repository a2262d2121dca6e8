"""The mail doctor: what mail systems see of us, and what to change, in plain words.

Three steps, each in its own modules: *probes* ask name servers and mail servers (`names`, `relay`,
`probes`), with one time limit over all of them; what they saw are plain *facts* (`facts`, `spf`,
`records`); pure *rules* make findings of the facts (`findings`, `of_domain`, `of_relay`, `of_mail`).

Refuses: to send anything. A probe connects, greets, and leaves.
"""
