"""The comparison: one picture and one solid, held in seven ways, learned by the same steps."""
