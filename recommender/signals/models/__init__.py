"""The models of the lab, one file each: options, paper, equations, and a forecast."""
