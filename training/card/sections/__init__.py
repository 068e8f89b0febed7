"""The card's sections: each measures one thing, as figures that `metrics.json` holds. They draw nothing."""
