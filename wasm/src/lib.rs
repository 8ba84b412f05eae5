//! Glue between the browser extension and `bonafide-core`: JSON in, JSON out, errors as JavaScript's.
//!
//! Nothing is judged here. The shapes are those of `extension/src/protocol.ts`. No input makes core panic; should it
//! happen nevertheless, WebAssembly can't unwind: the call ends in a `RuntimeError`, [`last_panic`] says what happened,
//! and whoever called makes a new instance with `__wbg_reset_state()` before the next call.

#![forbid(unsafe_code)]

mod look;
mod page;
mod scam;

use std::sync::{Mutex, PoisonError};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
import type { BlockReport, Checked, Reading, ScamReport, ScamSetting, ScamTurn, Step } from '../src/protocol.js';

/** JSON of a value of this type. */
export type Json<T> = string & { readonly json?: T };

/** A key, and the identity that is said to publish it. */
export interface Wanted { public_key: string; identity: string | null }

/** What is known of a key; what is absent is not known. */
export interface KeyFacts {
  contact?: string;
  own?: boolean;
  publication?: 'not_asked' | 'absent' | { unreachable: string } | { listed: object };
  changed?: boolean;
  revoked?: { at: string; reason: string } | null;
}

export type Known = Wanted & { facts: KeyFacts };
export type LookRequest = Reading & { reports?: BlockReport[] };
export type Looked = { blocks: BlockReport[] };
export type Reported = { statements: Checked[] };
export type Walk = Step[];
"#;

/// The message of the last panic, for the new instance knows nothing of it.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Keeps what a panic says.
#[wasm_bindgen(start)]
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(info.to_string());
    }));
}

/// What the last panic of this instance said. It is asked for before the instance is replaced.
#[wasm_bindgen(js_name = lastPanic)]
#[must_use]
pub fn last_panic() -> Option<String> {
    PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The version of this module.
#[wasm_bindgen]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Judges blocks by their labels, hidden characters, leftovers and signatures, and joins that with the reports that the
/// daemon's model gave on some of them. Every block gets a report, in the order in which they came.
///
/// # Errors
/// A sentence that says what is wrong with the request.
#[wasm_bindgen(unchecked_return_type = "Json<Looked>")]
pub fn look(
    #[wasm_bindgen(unchecked_param_type = "Json<LookRequest>")] request: &str,
) -> Result<String, JsError> {
    look::look(request).map_err(|error| JsError::new(&error))
}

/// The fingerprint of a public key, as `ssh-keygen -l` prints it.
///
/// # Errors
/// What the line is instead of a key.
#[wasm_bindgen]
pub fn fingerprint(public_key: &str) -> Result<String, JsError> {
    page::fingerprint(public_key).map_err(|error| JsError::new(&error))
}

/// A page with its statements. First it says which keys it wants to know of, then it reports.
#[wasm_bindgen]
pub struct SignedPage(page::Signed);

#[wasm_bindgen]
impl SignedPage {
    /// Reads a walk over a live page.
    ///
    /// # Errors
    /// A step that is none.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "Json<Walk>")] walk: &str,
    ) -> Result<SignedPage, JsError> {
        page::Signed::of_walk(walk).map(SignedPage).map_err(|error| JsError::new(&error))
    }

    /// Reads plain text, and what is quoted in it.
    ///
    /// # Errors
    /// A text that is too long.
    #[wasm_bindgen(js_name = ofText)]
    pub fn of_text(text: &str) -> Result<SignedPage, JsError> {
        page::Signed::of_text(text).map(SignedPage).map_err(|error| JsError::new(&error))
    }

    /// The keys of all good signatures, each with the identity that its statement names.
    ///
    /// # Errors
    /// None that is known.
    #[wasm_bindgen(unchecked_return_type = "Json<Wanted[]>")]
    pub fn wants(&self) -> Result<String, JsError> {
        self.0.wants().map_err(|error| JsError::new(&error))
    }

    /// What the statements come to, with what is known of the keys and the time in seconds since 1970.
    ///
    /// # Errors
    /// Facts that can't be read, or a time that is none.
    #[wasm_bindgen(unchecked_return_type = "Json<Reported>")]
    pub fn report(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Json<Known[]>")] facts: &str,
        now: f64,
    ) -> Result<String, JsError> {
        self.0.report(facts, now).map_err(|error| JsError::new(&error))
    }
}

/// Reads `bonafide_scam.bin`, which every chat needs. Once is enough for an instance; later calls do nothing.
///
/// # Errors
/// What is wrong with the file.
#[wasm_bindgen(js_name = loadScam)]
pub fn load_scam(data: &[u8]) -> Result<(), JsError> {
    scam::load(data).map_err(|error| JsError::new(&error))
}

/// A conversation that is followed as it grows, turn by turn.
#[wasm_bindgen]
pub struct Chat(scam::Followed);

#[wasm_bindgen]
impl Chat {
    /// Nothing said yet.
    ///
    /// # Errors
    /// What is wrong with the setting, or that nothing was loaded by [`load_scam`].
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "Json<ScamSetting>")] setting: &str,
    ) -> Result<Chat, JsError> {
        scam::Followed::new(setting).map(Chat).map_err(|error| JsError::new(&error))
    }

    /// What is known beside the messages has changed.
    ///
    /// # Errors
    /// What is wrong with the setting; the one before stays.
    pub fn set(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Json<ScamSetting>")] setting: &str,
    ) -> Result<(), JsError> {
        self.0.set(setting).map_err(|error| JsError::new(&error))
    }

    /// Reads what was said next.
    ///
    /// # Errors
    /// Which turn is wrong; then none of these is read.
    pub fn add(
        &mut self,
        #[wasm_bindgen(unchecked_param_type = "Json<ScamTurn[]>")] turns: &str,
    ) -> Result<(), JsError> {
        self.0.add(turns).map_err(|error| JsError::new(&error))
    }

    /// What is to be said so far, in a language given as a BCP 47 tag, whose region chooses the hotline.
    ///
    /// # Errors
    /// A tag that is too long.
    #[wasm_bindgen(unchecked_return_type = "Json<ScamReport>")]
    pub fn report(&self, language: &str) -> Result<String, JsError> {
        self.0.report(language).map_err(|error| JsError::new(&error))
    }
}
