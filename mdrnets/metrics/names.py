"""Names of the distances between features, in every file, table and figure.

FID and KID are defined with the features of pytorch-fid's Inception-v3. Distances between other
features are named after their network.
"""


def frechet_name(features: str) -> str:
    """`FID`, or `FD(features)`."""
    return "FID" if features == "inception-v3" else f"FD({features})"


def kernel_name(features: str) -> str:
    """`KID`, or `KD(features)`."""
    return "KID" if features == "inception-v3" else f"KD({features})"
