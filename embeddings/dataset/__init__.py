"""The graph as a data set for machine learning, split by time, in the forms that other libraries load."""
