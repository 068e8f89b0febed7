"""Files scored whole: what it takes us, and what it takes others. It measures processes and knows no Lambda."""
