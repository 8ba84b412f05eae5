//! Helpers for the black-box tests.

#![forbid(unsafe_code)]
