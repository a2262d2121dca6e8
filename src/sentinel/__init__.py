"""Sentinel: customer satisfaction assurance.

Finds and removes problems at business customers before anybody has to complain: everybody is asked
one plain question month after month, and each frown becomes work that stays on somebody's front
burner until the person who frowned confirms that it is solved.

The packages stand in one strict order (see `.importlinter`); each says in its own docstring what it
owns and what it refuses.
"""

__version__ = "0.1.0"
