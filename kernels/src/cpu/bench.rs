//! Single operations with made-up numbers, for `cargo bench`. No part of the library's interface.

use super::activation::silu_mul;
use super::attention::{Block, float};
use super::buffer::Buffer;
use super::detect::Instructions;
use super::head;
use super::input::{Form, Input};
use super::norm::rms_norm;
use super::product::{PANEL, Packed};
use super::rotary::Angles;
use super::team::Team;
use crate::backend::BackendError;
use crate::weights::{Matrix, RotaryPairs};
use std::sync::Mutex;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::attention::amx;

pub use super::peak::bandwidth;

/// The forms of a product, by name.
pub const FORMS: [&str; 4] = ["f32", "int8", "bf16", "bf16-twice"];

fn form(name: &str) -> Form {
    match name {
        "int8" => Form::Int8 { group: 32 },
        "bf16" => Form::Bf16 { parts: 1 },
        "bf16-twice" => Form::Bf16 { parts: 2 },
        _ => Form::F32,
    }
}

/// Operations a second of one core at most; `None` where there is no fast path.
#[must_use]
pub fn peak(form_name: &str, instructions: Instructions) -> Option<f64> {
    super::peak::operations(form(form_name), instructions)
}

fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|at| ((at as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0).collect()
}

/// A product of rows with a packed matrix, on one thread.
pub struct Product {
    packed: Packed,
    input: Input,
    rows: usize,
    out: Buffer<f32>,
}

impl Product {
    /// `rows` inputs of `cols` numbers, `outputs` outputs.
    pub fn new(
        form_name: &str,
        instructions: Instructions,
        rows: usize,
        outputs: usize,
        cols: usize,
    ) -> Result<Self, BackendError> {
        let matrix = Matrix::from_f32(outputs, cols, &numbers(outputs * cols))?;
        let form = form(form_name);
        let packed = Packed::pack(&[&matrix], form, instructions, &Team::new(1)?)?;
        let mut input = Input::default();
        input.reserve(rows, cols, &[form]);
        for (row, values) in numbers(rows * cols).chunks(cols).enumerate() {
            // SAFETY: one thread only.
            unsafe { input.put(form, row, 0, values) };
        }
        let out = Buffer::zeroed(rows.next_multiple_of(32) * packed.panels() * PANEL);
        Ok(Self { packed, input, rows, out })
    }

    /// Makes the product, as the forward pass does: some panels at a time.
    pub fn run(&mut self) {
        let at_once = self.packed.panels_at_once();
        let rows = self.rows.next_multiple_of(32);
        for first in (0..self.packed.panels()).step_by(at_once) {
            let panels = first..(first + at_once).min(self.packed.panels());
            // SAFETY: one thread only.
            unsafe {
                let out = self.out.part_mut(0..rows * panels.len() * PANEL);
                self.packed.tile(
                    &self.input,
                    0..self.rows,
                    panels,
                    (first + at_once) % self.packed.panels(),
                    out,
                );
            }
        }
    }

    /// Operations of one run: a product and a sum count as two.
    #[must_use]
    pub fn operations(&self) -> f64 {
        2.0 * (self.rows * self.packed.rows() * self.packed.cols()) as f64
    }
}

/// The fused head over hidden states, on one thread.
pub struct Head {
    product: Product,
    targets: Vec<u32>,
    target_logits: Vec<f32>,
    logits: Vec<f32>,
    share: Mutex<head::Share>,
    team: Team,
}

impl Head {
    /// Statistics of `rows` targets over `vocab` words.
    pub fn new(
        form_name: &str,
        instructions: Instructions,
        rows: usize,
        vocab: usize,
        dim: usize,
    ) -> Result<Self, BackendError> {
        Ok(Self {
            product: Product::new(form_name, instructions, rows, vocab, dim)?,
            targets: vec![7; rows],
            target_logits: vec![0.0; rows],
            logits: Vec::new(),
            share: Mutex::default(),
            team: Team::new(1)?,
        })
    }

    /// One pass over the vocabulary.
    pub fn run(&mut self) -> Result<(), BackendError> {
        let logits = Mutex::new(&mut self.logits);
        self.team.run(|worker| {
            if let (Ok(mut logits), Ok(mut share)) = (logits.lock(), self.share.lock()) {
                // SAFETY: nobody writes to the input.
                unsafe {
                    head::walk(
                        worker,
                        &self.product.packed,
                        &self.product.input,
                        &self.targets,
                        &self.target_logits,
                        &mut logits,
                        &mut share,
                    );
                }
            }
        })
    }

    /// Operations of the product in it.
    #[must_use]
    pub fn operations(&self) -> f64 {
        self.product.operations()
    }
}

/// Causal attention of one head over one sequence, on one thread.
pub struct Attention {
    rows: Buffer<f32>,
    tokens: usize,
    dim: usize,
    scores: Vec<f32>,
    mixed: Buffer<f32>,
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    tiles: Option<(amx::PackedHeads, amx::Scratch, Input)>,
}

impl Attention {
    /// In tiles if `tiles` and the CPU has them, else in f32.
    #[must_use]
    pub fn new(tiles: bool, tokens: usize, dim: usize) -> Self {
        let rows = Buffer::zeroed(tokens * 3 * dim);
        // SAFETY: one thread only.
        unsafe { rows.part_mut(0..tokens * 3 * dim) }.copy_from_slice(&numbers(tokens * 3 * dim));
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        let tiles = (tiles && Instructions::Amx.available()).then(|| {
            let mut heads = amx::PackedHeads::default();
            heads.reserve(tokens.next_multiple_of(amx::BLOCK), dim, 1, 1);
            let (mut scratch, mut out) = (amx::Scratch::default(), Input::default());
            out.reserve(tokens, dim, &[Form::Bf16 { parts: 1 }]);
            for (token, values) in numbers(tokens * dim).chunks(dim).enumerate() {
                // SAFETY: one thread only.
                unsafe {
                    heads.put_query(0, token, values);
                    heads.put_key(0, token, values, &mut scratch);
                    heads.put_value(0, token, values, &mut scratch);
                }
            }
            (heads, scratch, out)
        });
        #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
        let _ = tiles;
        Self {
            rows,
            tokens,
            dim,
            scores: Vec::new(),
            mixed: Buffer::zeroed(tokens * dim),
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            tiles,
        }
    }

    /// All queries of the sequence.
    pub fn run(&mut self) {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if let Some((heads, scratch, out)) = &mut self.tiles {
            for block in Block::cut(0..self.tokens, amx::BLOCK, None) {
                // SAFETY: tiles are there; one thread only.
                unsafe { heads.attend(&block, 0, (0, 0), scratch, (out, Form::Bf16 { parts: 1 }), 0) };
            }
            return;
        }
        let heads = float::Heads {
            rows: &self.rows,
            width: 3 * self.dim,
            head_dim: self.dim,
            query: 0,
            key: self.dim,
            value: 2 * self.dim,
        };
        for block in Block::cut(0..self.tokens, float::QUERIES, None) {
            // SAFETY: one thread only.
            unsafe { float::attend(&block, heads, &mut self.scores, &self.mixed, self.dim, 0) };
        }
    }

    /// Operations of both products, the masked half left out.
    #[must_use]
    pub fn operations(&self) -> f64 {
        2.0 * (self.tokens * self.tokens * self.dim) as f64
    }
}

/// Row by row: RMSNorm and what makes a row ready for a product.
pub struct Rows {
    x: Vec<f32>,
    weight: Vec<f32>,
    out: Vec<f32>,
    input: Input,
    angles: Angles,
}

impl Rows {
    /// Rows of `dim` numbers.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        let mut input = Input::default();
        input.reserve(1, dim, &FORMS.map(form));
        let mut angles = Angles::default();
        angles.ensure(1, &vec![1.0; dim / 2]);
        Self { x: numbers(dim), weight: numbers(dim), out: vec![0.0; dim], input, angles }
    }

    /// RMSNorm of one row.
    pub fn norm(&mut self) {
        rms_norm(&self.x, &self.weight, 1e-5, &mut self.out);
    }

    /// One row into the form of a product.
    pub fn put(&mut self, form_name: &str) {
        // SAFETY: one thread only.
        unsafe { self.input.put(form(form_name), 0, 0, &self.x) };
    }

    /// silu(x) * weight.
    pub fn activation(&mut self) {
        self.out.copy_from_slice(&self.x);
        silu_mul(&mut self.out, &self.weight);
    }

    /// The rotary embedding over the whole row.
    pub fn rotary(&mut self) {
        self.angles.rotate(&mut self.x, 0, RotaryPairs::Neighbours);
    }

    /// The weights of a softmax over the row.
    pub fn softmax(&mut self) -> f32 {
        self.out.copy_from_slice(&self.x);
        super::attention::softmax::exponentials(&mut self.out)
    }
}
