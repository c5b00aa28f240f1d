"""Images and labels: where they come from, how they are read and checked, and folders of one's own."""
