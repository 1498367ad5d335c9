"""The sub-commands of `tastebud eval`, by what they measure."""
