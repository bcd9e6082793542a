"""What the sync log costs in a SQLite file: `python tests/benchmarks/store.py`.

    python tests/benchmarks/store.py                     waves, and a log of 1,000,000 entries
    python tests/benchmarks/store.py --entries 100000    a shorter log
    python tests/benchmarks/store.py --folder /mnt/disk  on another disk than that of temporary files

The commits are those of a first load of 1,000 made-up contacts, again and again under other customers' names. Beside
the store stands what it can't go below: sqlite3 alone, with the same rows and the same durability, and the disk.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.storing import main

if __name__ == "__main__":
    main(__doc__)
