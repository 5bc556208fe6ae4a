"""What an investor could do with a list: what to buy of it, what the portfolio becomes, how a sum is divided."""
