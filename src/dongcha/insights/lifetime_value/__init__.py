"""What will this customer spend in the next N days?"""

from dongcha.insights.lifetime_value.insight import LifetimeValue as LifetimeValue
