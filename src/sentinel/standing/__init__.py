"""How mail systems see us, and whom we never write to again.

Owns the suppression list, the results of the mail doctor, the brake on complaints, and what was
learned about the link scanners of each receiving domain.

Refuses: to lift a suppression without a reason. It sends nothing and asks no name server; probes do.
"""
