//! PE images, PDBs, type layouts by name, symbol stores. Knows nothing of dumps.
//!
//! Empty until the issue "Inside a dump" fills it.

#![forbid(unsafe_code)]
