"""The worker's pages behind signed links: answer, my problem, confirm, object, preferences, unsubscribe.

Nobody logs in here. The signed token in the address is the only authority: it names one purpose and one
subject, and a page shows and changes that worker's own things alone. Opening a page (GET, HEAD) writes
nothing but the journal of answer links; only a POST acts, and whatever matters needs evidence of a human.

Refuses: cookies, sessions and JavaScript as a requirement; other people's data, internal notes and rungs;
being cached, indexed or named in a Referer; and telling a forged link from a missing thing.
"""
