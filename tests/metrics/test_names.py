from mdrnets.metrics.names import frechet_name, kernel_name


def test_only_inceptions_features_make_it_fid_and_kid() -> None:
    assert (frechet_name("inception-v3"), kernel_name("inception-v3")) == ("FID", "KID")
    assert frechet_name("effnet-lite0") == "FD(effnet-lite0)"
    assert kernel_name("effnet-lite0") == "KD(effnet-lite0)"
