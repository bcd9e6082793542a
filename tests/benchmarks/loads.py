"""How many requests, and how much time, it takes to load a shop and to keep it in step.

    python tests/benchmarks/loads.py                  first loads of 1,000 and 10,000 contacts
    python tests/benchmarks/loads.py 500 5000         of other sizes
    python tests/benchmarks/loads.py --all            of 100,000 contacts as well
    python tests/benchmarks/loads.py --steady         runs after a first load: nothing changed, one contact, ...
    python tests/benchmarks/loads.py --kinds          say also how many requests there were of each kind

Both systems are simulated and so is the time: the ERP is 300 ms away, the shop 400 ms, more or less by
half; each grants 150 requests a minute; lists of the shop are 2 seconds late. First loads are drawn into
docs/images/loads.svg, beside the physical bound and a plain loop that syncs one record at a time.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.measuring import main

if __name__ == "__main__":
    main(__doc__)
