"""The small MDRNets of `tests/methods/mdrnets`, which inspection looks into."""

from tests.methods.conftest import fake_features
from tests.methods.mdrnets.conftest import frozen_context, small_method, small_options

__all__ = ["fake_features", "frozen_context", "small_method", "small_options"]
