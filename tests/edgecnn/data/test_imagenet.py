"""ImageNet's classes."""

from __future__ import annotations

from edgecnn.data import imagenet


def test_the_table_is_whole() -> None:
    table = imagenet.classes()
    assert len(table) == len({each.wordnet_id for each in table}) == 1000
    # Keras's order is that of the sorted WordNet ids.
    assert [each.wordnet_id for each in table] == sorted(each.wordnet_id for each in table)
    assert (table[0], table[-1]) == (("n01440764", "tench"), ("n15075141", "toilet_tissue"))
    assert table[291] == ("n02129165", "lion")


def test_labels_can_be_read_and_told_apart() -> None:
    labels = imagenet.labels()
    assert len({label.lower() for label in labels}) == 1000
    assert (labels[2], labels[291]) == ("great white shark", "lion")
    assert (labels[134], labels[517]) == ("crane (n02012849)", "crane (n03126707)")
    assert sum("(" in label for label in labels) == 6
    assert all(label.strip() and label.isprintable() for label in labels)
