import sys
from pathlib import Path

# So that `public_data` is found when only this folder's tests are run.
sys.path.insert(0, str(Path(__file__).parents[1]))
