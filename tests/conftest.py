"""What all tests share: the checkout on the path, and hypothesis without a stop-watch."""

import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parents[1]))

# How long a test takes is the machine's affair; the same examples on every machine are ours.
settings.register_profile("dongcha", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dongcha")
