"""Pages: what a reader sees, first as content, then drawn as HTML and Typst."""
