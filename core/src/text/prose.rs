//! Whether a text is running prose at all: statistics of predictability mean nothing for anything else.
