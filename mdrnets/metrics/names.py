"""What the distances between features are called, in every file, table and figure.

FID and KID mean the features of pytorch-fid's Inception-v3 and nothing else; a distance between
other features is named after them.
"""


def frechet_name(features: str) -> str:
    """`FID`, or `FD(features)`."""
    return "FID" if features == "inception-v3" else f"FD({features})"


def kernel_name(features: str) -> str:
    """`KID`, or `KD(features)`."""
    return "KID" if features == "inception-v3" else f"KD({features})"
