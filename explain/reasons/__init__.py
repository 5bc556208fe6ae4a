"""Reasons: what is claimed of a recommendation, and how each claim is checked.

A family of reasons is one class, in the file of its subject: what it fires on, the claim that it makes (the values
of its sentence), and the check of the sentence, which computes everything again from the snapshot. Its sentences
stand in each language's reasons.j2 under the names of its `triggers`; how a sentence is read back follows from them.
A new one is a class, its name in `kinds.KINDS`, and a sentence in each language.
"""
