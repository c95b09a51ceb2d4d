"""A log as lines that can be searched, whatever carried, coloured, framed or wrapped them."""
