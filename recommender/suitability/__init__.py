"""The suitability gate between scoring and showing: rules as data, verdicts with the facts they rest on."""
