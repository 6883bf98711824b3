"""What a pixel of a mask means: the values of all masks of a set, and the rule that is read off them."""
