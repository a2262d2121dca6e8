"""Mail on its way, mail that came, and how mail systems see us."""
