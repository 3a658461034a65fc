//! One file per question asked of a dump: completeness, hang, ... Plain serialisable results, no printing.
//!
//! Empty until the issue "Inside a dump" fills it.

#![forbid(unsafe_code)]
