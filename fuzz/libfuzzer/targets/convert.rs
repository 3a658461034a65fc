#![no_main]

livedump_fuzz::under_libfuzzer!(convert);
