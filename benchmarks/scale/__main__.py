"""Of `python benchmarks/scale`, which finds its modules beside those of the other benchmarks."""

import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

if __name__ == "__main__":
    from scale.run import main

    main()
