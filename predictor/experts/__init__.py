"""Experts: each turns what it has seen into one point per target, lead and series. One file each.

Values are square roots of loads (a load's noise grows with its level; its root's hardly does).
"""

from predictor.experts.last import Last
from predictor.experts.profile import Profile
from predictor.experts.protocol import Expert
from predictor.experts.recent_max import RecentMax

REGISTRY: tuple[type[Expert], ...] = (Last, RecentMax, Profile)
