"""The wire contract of Strapline: series, messages, codec and both ends' sessions, without I/O."""
