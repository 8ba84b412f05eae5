//! Language models: which there are, where they are kept, and how they are loaded and run.
