"""The programs that the batch door is compared with: `python <program> <model's folder> <input> <output>`."""
