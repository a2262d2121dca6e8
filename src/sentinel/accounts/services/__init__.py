"""Changing the customers, one verb per function.

Everywhere: ``user`` is who does it and None stands for Sentinel itself and its command line; each
service is one transaction with its entry in the timeline, and refuses in plain words.
"""

from sentinel.accounts.services.choices import resubscribe_worker, set_preferences, unsubscribe_worker
from sentinel.accounts.services.customers import (
    add_site,
    change_account,
    change_site,
    create_account,
    hand_account_to,
)
from sentinel.accounts.services.permissions import grant_permission, withdraw_permission
from sentinel.accounts.services.reachability import mark_bounced, repair_address
from sentinel.accounts.services.rosters import apply_roster, compare_roster, discard_roster, preview_roster
from sentinel.accounts.services.workers import (
    add_worker,
    change_worker,
    move_worker,
    worker_left,
    worker_returned,
)

__all__ = [
    "add_site",
    "add_worker",
    "apply_roster",
    "change_account",
    "change_site",
    "change_worker",
    "compare_roster",
    "create_account",
    "discard_roster",
    "grant_permission",
    "hand_account_to",
    "mark_bounced",
    "move_worker",
    "preview_roster",
    "repair_address",
    "resubscribe_worker",
    "set_preferences",
    "unsubscribe_worker",
    "withdraw_permission",
    "worker_left",
    "worker_returned",
]
