"""What will this customer do next, and when?"""

from dongcha.insights.next_action.insight import NextAction as NextAction
