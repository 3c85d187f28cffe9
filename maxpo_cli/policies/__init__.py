"""Policies: Bernoulli, categorical and Gaussian ones by their specs, and logged rewards by files.

A policy has one or several problems, each with parameters of its own: logged rewards have one per
prompt, the others have one. Engines see its problems only.
"""
