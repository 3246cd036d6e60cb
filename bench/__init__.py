"""What a turn costs here, and what it costs elsewhere: `python -m bench` and `python -m bench.peers`."""
