//! Bytes into text.
