"""The handlers that predict is compared with, each written as people write it and none slowed."""
