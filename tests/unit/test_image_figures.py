"""What is told of an image's size and of a cold start's reading, from what was counted."""

from benchmarks.images import figures


def test_sizes_are_compared_with_the_plain_image_and_what_is_read_with_the_image_itself() -> None:
    def raw(size: int, pages: int, blocks: int) -> dict[str, object]:
        return {
            "bytes": size,
            "device_bytes": size,
            "touched": {"files": {"/a": pages}, "pages": pages, "blocks": blocks},
            "read": {"files": {"/a": pages}, "pages": 2 * pages, "blocks": blocks + 1},
        }

    found = figures({"plain": raw(500_000_000, 10_000, 400), "slim": raw(150_000_000, 5_000, 100)})
    assert found["images"]["slim"] == {
        "mb": 150.0,
        "to_plain": 0.3,
        "files": 1,
        "pages": 5_000,
        "pages_mb": 20.5,
        "pages_share": 0.137,
        "blocks": 100,
        "blocks_mb": 52.4,
        "blocks_share": 0.35,
        "ahead_mb": 41.0,
        "ahead_blocks": 101,
    }
