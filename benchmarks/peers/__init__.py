"""Other people's software on the same data, each run by a Python that has it; nothing here imports RSE's own code."""
