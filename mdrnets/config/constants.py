"""Constants of the protocol that affect results.

They are tracked as code; `dag.code` lists the modules of `config` that are not.
"""

MIN_TEST_IMAGES = 4
"""The intervals of the scores need at least this many."""
PAPERS_METHOD = "mdrnets"
"""The method that the paper proposes, as reports/published/ and params.yaml name it."""
STEPS = 6
"""Number of 10 % steps of the hole ratio: step 1 is (0, 10] %, step 6 is (50, 60] %."""
