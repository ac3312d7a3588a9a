"""Experts: each turns an origin into quantiles per cell and series. One file each; `registry` lists them.

Values are square roots of loads (a load's noise grows with its level; its root's hardly does).
"""
