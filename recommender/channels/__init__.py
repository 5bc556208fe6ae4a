"""The channels of the served score; each is linear in what the investor holds or states."""
