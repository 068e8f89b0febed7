"""Scoring drops: CSV framing, the batch loop, quarantine, claim and summary. It knows no event and no environment."""
