"""Writing runs and deliveries: launch them, stop and start them, and settle single ones without a sender.

``user_id`` and ``user_name`` say who does it; whether that person may is for the layers above to ask:
people stand above this package.
"""

from sentinel.bulk.services.launching import (
    NewDelivery,
    NewEdition,
    Proof,
    ensure_editions,
    ensure_run,
    launch,
    store_template,
)
from sentinel.bulk.services.settling import (
    DeliveryLost,
    begin_next,
    mark_lanes_reported,
    mark_reported,
    settle_one,
    withdraw,
)
from sentinel.bulk.services.steering import (
    Retry,
    pause_all,
    pause_lane,
    pause_run,
    resume_all,
    resume_lane,
    resume_run,
    retry_failed,
    set_lane_limit,
)

__all__ = [
    "DeliveryLost",
    "NewDelivery",
    "NewEdition",
    "Proof",
    "Retry",
    "begin_next",
    "ensure_editions",
    "ensure_run",
    "launch",
    "mark_lanes_reported",
    "mark_reported",
    "pause_all",
    "pause_lane",
    "pause_run",
    "resume_all",
    "resume_lane",
    "resume_run",
    "retry_failed",
    "set_lane_limit",
    "settle_one",
    "store_template",
    "withdraw",
]
