"""Divide the change between two years into what it is made of, as an account and not as a cause."""

from lifecircle.attribution._shares import Share, coalitions, group_shares, owen_shares, shapley_shares

__all__ = ["Share", "coalitions", "group_shares", "owen_shares", "shapley_shares"]
