#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

fn texts(blocks: Result<Vec<Block>, DocumentError>) -> Vec<String> {
    blocks.unwrap().into_iter().map(|block| block.text).collect()
}

fn long(word: &str) -> String {
    format!("{word} {}", "the quick brown fox jumps over the lazy dog and runs away. ".repeat(8).trim())
}
