//! The runner of the tests that are compiled to Wasm.

fn main() {
    env_logger::init();
    let arguments = std::env::args_os();
    if let Err(error) = wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(arguments) {
        eprintln!("error: {error:?}");
        std::process::exit(1);
    }
}
