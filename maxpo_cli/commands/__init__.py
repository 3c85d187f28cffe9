"""The commands, one file each: read options, call a study, show and write what it gives."""
