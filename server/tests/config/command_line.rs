//! The binary's commands about its configuration.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Runs the binary in `directory` with nothing in its environment but `variables`.
fn run(directory: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ai-gateway"))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("the binary runs")
}

fn with_file(text: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("a.toml"), text).expect("a file can be written");
    directory
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn check_says_ok() {
    let directory = with_file("[grpc]\n[[providers]]\nname = \"a\"\nkind = \"simulated\"\n");
    for arguments in [
        &["config", "check", "a.toml"][..],
        &["config", "check", "--config", "a.toml"],
    ] {
        let output = run(directory.path(), &[], arguments);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(
            text(&output.stdout),
            "ok: a.toml: 1 enabled provider, 0 models, 0 keys, 1 warning; serves on 127.0.0.1:8080, dashboard on \
             127.0.0.1:8081\n"
        );
        assert_eq!(
            text(&output.stderr),
            "warning: a.toml:1: grpc: this version does not serve gRPC yet\n"
        );
    }
    let output = run(
        directory.path(),
        &[("GATEWAY_SERVER_HOST", "::1")],
        &["config", "check"],
    );
    assert_eq!(
        text(&output.stdout),
        "ok: no file, defaults: 1 enabled provider, 0 models, 0 keys, 0 warnings; serves on [::1]:8080, dashboard on \
         127.0.0.1:8081\n"
    );
}

#[test]
fn an_invalid_configuration_ends_with_1() {
    let directory = with_file("[server]\nprot = 1\nhost = \"x y\"\n");
    for arguments in [
        &["config", "check", "a.toml"][..],
        &["config", "dump", "a.toml"],
        &["serve", "a.toml"],
        &["--config", "a.toml"],
        &["a.toml"],
    ] {
        let output = run(directory.path(), &[], arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_eq!(text(&output.stdout), "");
        let lines: Vec<&str> = text(&output.stderr)
            .lines()
            .filter(|line| !line.starts_with("warning"))
            .collect();
        assert_eq!(
            lines,
            [
                "error: a.toml:2: server.prot: unknown key; did you mean \"port\"?",
                "error: a.toml:3: server.host: expected an IP address such as \"127.0.0.1\", \"0.0.0.0\" or \"::1\", \
                 found \"x y\"",
                "the configuration is invalid: 2 problems",
            ],
            "{arguments:?}"
        );
    }
    assert!(!directory.path().join("gateway.db").exists());
}

#[test]
fn dump_reads_back() {
    let directory = with_file("[[keys]]\nname = \"a\"\nkey = \"${KEY}\"\n[server]\nport = 9\n");
    let key = [("KEY", "hush")];
    let output = run(directory.path(), &key, &["config", "dump", "a.toml"]);
    assert_eq!(output.status.code(), Some(0));
    let dumped = text(&output.stdout);
    assert!(!dumped.contains("hush"), "{dumped}");
    assert!(
        dumped
            .lines()
            .any(|line| line.starts_with("port = 9 ") && line.ends_with("# a.toml:5"))
    );

    std::fs::write(directory.path().join("b.toml"), dumped).expect("a file can be written");
    let refused = run(directory.path(), &[], &["config", "check", "b.toml"]);
    assert_eq!(refused.status.code(), Some(1));
    let secret = [("GATEWAY_KEYS_A_KEY", "hush")];
    let again = run(directory.path(), &secret, &["config", "check", "b.toml"]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
}

#[test]
fn usage() {
    let directory = with_file("");
    let version = run(directory.path(), &[], &["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(
        text(&version.stdout),
        format!("ai-gateway {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = run(directory.path(), &[], &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for word in [
        "serve",
        "config",
        "--config",
        "GATEWAY_CONFIG",
        "GATEWAY_SERVER_PORT",
    ] {
        assert!(text(&help.stdout).contains(word), "{word}");
    }
    for arguments in [&["--prot", "1"][..], &["sevre"], &["config", "chekc"]] {
        let output = run(directory.path(), &[], arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn import_prints_a_native_file() {
    let directory = with_file(
        "[openAIConfig]\napiKey = \"sk-secret\"\nmodel = \"m\"\nendpoint = \"http://127.0.0.1:9\"\n",
    );
    let output = run(directory.path(), &[], &["config", "import", "a.toml"]);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text(&output.stdout),
        "# a.toml, the Ballerina gateway's Config.toml, as the gateway's own format.\n\
         #\n\
         # Carried over exactly:\n\
         #   openAIConfig.endpoint (line 4) -> providers[0].base_url\n\
         #   openAIConfig.apiKey (line 2) -> providers[0].api_key\n\
         #   openAIConfig.model (line 3) -> providers[0].model\n\
         #\n\
         # Secrets that stood in the file; set these variables before the start:\n\
         #   OPENAI_API_KEY: openAIConfig.apiKey (line 2)\n\
         \n\
         [server]\n\
         host = \"0.0.0.0\"\n\
         \n\
         [admin]\n\
         host = \"0.0.0.0\"\n\
         \n\
         [[providers]]\n\
         name = \"openai\"\n\
         kind = \"openai-compatible\"\n\
         base_url = \"http://127.0.0.1:9/v1\"\n\
         api_key = \"${OPENAI_API_KEY}\"\n\
         model = \"m\"\n\
         default = true\n"
    );

    let native = with_file("[server]\nport = 1\n");
    let output = run(native.path(), &[], &["config", "import", "a.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    assert!(text(&output.stderr).starts_with("error: a.toml:1: this is none of the formats"));
}

#[test]
fn another_gateways_file_is_found_where_it_was() {
    let directory = with_file("");
    std::fs::write(
        directory.path().join("Config.toml"),
        "[gateway]\nport = 8080\n",
    )
    .expect("a file can be written");
    let output = run(directory.path(), &[], &[]);
    assert_eq!(output.status.code(), Some(1), "there is no provider");
    assert_eq!(
        text(&output.stderr),
        "error: Config.toml:1: there is no provider; write at least one, such as [openAIConfig] with apiKey, model \
         and endpoint\nthe configuration is invalid: 1 problem\n"
    );
}
