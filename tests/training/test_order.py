"""The order of a list in each pass."""

import numpy as np

from deepfake_cli.training import order


def test_each_pass_shuffles_tars():
    tars = np.repeat(np.arange(3 * order.WINDOW + 7), 5)
    drawn = order.draw(np.zeros(len(tars), np.int64), 4, reals=None, seed=1)
    found = order.streamed(drawn, tars, 4, seed=1)
    assert sorted(found) == list(range(len(tars)))
    for start in range(0, len(tars), 5 * order.WINDOW):
        part = found[start : start + 5 * order.WINDOW]
        assert len(set(tars[part])) <= order.WINDOW and not set(tars[part]) & set(tars[found[start + len(part) :]])
        places = {index: place for place, index in enumerate(drawn)}
        assert (np.diff([places[index] for index in part]) > 0).all(), "in the order that they were drawn in"
    assert (found != order.streamed(drawn, tars, 5, seed=1)).any()
