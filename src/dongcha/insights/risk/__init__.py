"""Which orders are dangerous?"""

from dongcha.insights.risk.insight import Risk

__all__ = ["Risk"]
