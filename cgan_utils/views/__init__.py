"""What people look at: figures, the explorer, and what a notebook shows beside its text."""
