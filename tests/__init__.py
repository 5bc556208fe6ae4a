"""The tests, as a package: what one test file imports of another is the module that pytest collects."""
