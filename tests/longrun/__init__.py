"""What the soak and the monkey share: a process of its own in folders of its own, and all that can be wrong with it."""
