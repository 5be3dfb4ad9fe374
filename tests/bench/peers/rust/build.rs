use std::{env, path::Path};

fn main() -> std::io::Result<()> {
    let proto = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../../../proto");
    let mut config =
        tonic_prost_build::configure().build_client(false).generate_default_stubs(true);
    // The database stores these two as JSON without the empty fields.
    for message in ["content.v1.Author", "content.v1.Section"] {
        config = config.type_attribute(message, "#[derive(serde::Deserialize)] #[serde(default)]");
    }
    config.compile_protos(
        &[proto.join("content/v1/content_service.proto")],
        &[proto.clone(), proto.join("third_party")],
    )
}
