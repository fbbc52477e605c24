"""A shop with known truth: what everybody may see, and what only tests and benchmarks may."""

from dongcha.sources.simulate.plan import CampaignPlan, GroupPlan, MishapPlan, ShopPlan, TalkPlan
from dongcha.sources.simulate.shop import Simulated, simulate, write
from dongcha.sources.simulate.truth import Truth

__all__ = [
    "CampaignPlan", "GroupPlan", "MishapPlan", "ShopPlan", "Simulated", "TalkPlan", "Truth", "simulate", "write",
]  # fmt: skip
