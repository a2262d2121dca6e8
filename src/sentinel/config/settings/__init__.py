"""The settings Django reads, one module per concern."""

from .apps import *
from .base import *
from .database import *
from .i18n import *
from .logs import *
from .mail import *
from .security import *
