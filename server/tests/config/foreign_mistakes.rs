//! Mistakes in other gateways' files, in the words of the file.

use crate::setting::{Setting, shown};

/// Each text has these problems.
fn check(name: &str, cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        let setting = Setting::new().file(name, text);
        let errors = setting.named(name).expect_err(text);
        assert_eq!(shown(&errors), *expected, "{text}");
        let imported = setting.imported(name);
        assert!(imported.is_err() || text.contains("${"), "{text}");
    }
}

#[test]
fn ballerina() {
    check(
        "Config.toml",
        &[
            (
                "",
                &[
                    "Config.toml:1: there is no provider; write at least one, such as [openAIConfig] with apiKey, model \
                   and endpoint",
                ],
            ),
            (
                "[gateway]\nport = 8080\n",
                &[
                    "Config.toml:1: there is no provider; write at least one, such as [openAIConfig] with apiKey, model \
                   and endpoint",
                ],
            ),
            (
                "[openAIConfig]\nmodel = \"m\"\nendpoint = \"\"\n",
                &[
                    "Config.toml:1: openAIConfig.apiKey: missing; expected text; \"\" where none is needed",
                    "Config.toml:3: openAIConfig.endpoint: empty; expected an address such as \"https://llm.example.com\"",
                ],
            ),
            (
                "[openAIConfig]\napiKey = \"${NOT_SET}\"\nmodel = \"m\"\nendpoint = \"http://127.0.0.1:9\"\n",
                &[
                    "Config.toml:2: openAIConfig.apiKey: the environment variable NOT_SET is not set; set it, or give a \
                   default: \"${NOT_SET:-…}\"",
                ],
            ),
            (
                "[openAIConfig]\napiKey = \"\"\nmodel = \"m\"\nendpoint = \"127.0.0.1:9\"\n[gateway]\nport = \"x\"\n",
                &[
                    "Config.toml:4: openAIConfig.endpoint: not a URL; expected one such as \"https://llm.example.com/v1\"",
                    "Config.toml:6: gateway.port: expected a whole number from 0 to 65535, found \"x\"",
                ],
            ),
        ],
    );
}

#[test]
fn pool() {
    check(
        "config.yaml",
        &[
            (
                "server: {host: 127.0.0.1, port: 1}\nmodels: {}\n",
                &["config.yaml:1: models: there is none; write at least one with its providers"],
            ),
            (
                "models:\n  m:\n    model_name: m\n",
                &[
                    "config.yaml:3: models.m.providers: missing; expected a list of providers, each with name, api_base \
                   and api_key",
                ],
            ),
            (
                "models:\n  m:\n    model_name: m\n    providers: []\n",
                &[
                    "config.yaml:4: models.m.providers: empty; expected a list of providers, each with name, api_base \
                   and api_key",
                ],
            ),
            (
                "models:\n  m:\n    model_name: m\n    providers:\n      - name: a\n        api_key: k\n        enabled: maybe\n",
                &[
                    "config.yaml:5: models.m.providers[0].api_base: missing; expected an address such as \
                     \"https://llm.example.com/v1\"",
                    "config.yaml:7: models.m.providers[0].enabled: expected true or false, found text",
                ],
            ),
            (
                "models:\n  m:\n    model_name: m\n    providers:\n      - {name: a, api_base: 'http://a', api_key: '${NOT_SET}', enabled: true}\n",
                &[
                    "config.yaml:5: models.m.providers[0].api_key: the environment variable NOT_SET is not set; set it, \
                   or give a default: \"${NOT_SET:-…}\"",
                ],
            ),
        ],
    );
}

const DAEMON: &str = "[daemon]\nlisten_ip = \"127.0.0.1\"\nlisten_port = 3000\n";

#[test]
fn router() {
    let up =
        "[backends.up]\ntype = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\napi_key = \"k\"\n";
    let cases = [
        (
            "[models.chat_completions.m]\n".to_owned(),
            vec![
                "a.toml:1: backends: there is none; write at least one [backends.NAME] with type and base_url",
            ],
        ),
        (
            up.to_owned(),
            vec![
                "a.toml:1: models: there is none; write at least one, such as [models.chat_completions.NAME]",
            ],
        ),
        (
            format!(
                "{up}default = true\n{}default = true\n[models.chat_completions.m]\n",
                up.replace("up", "two")
            ),
            vec![
                "a.toml:13: backends.two.default: backends.up is already the default; there can be one only",
            ],
        ),
        (
            format!("{up}[models.chat_completions.m]\nbackend = \"upp\"\n"),
            vec![
                "a.toml:9: models.chat_completions.m.backend: unknown backend \"upp\"; did you mean \"up\"?",
            ],
        ),
        (
            format!("{up}[models.chat_completions.m]\n"),
            vec![
                "a.toml:8: models.chat_completions.m.backend: missing, and no backend is the default; name one, or \
                 write default = true in one of them",
            ],
        ),
        (
            format!(
                "{up}[models.embeddings.m]\nbackend = \"up\"\ndefault = true\n[models.embeddings.n]\nbackend = \
                 \"up\"\ndefault = true\n"
            ),
            vec![
                "a.toml:13: models.embeddings.n.default: models.embeddings.m is already the default; there can be one only",
            ],
        ),
        (
            format!(
                "{}[models.chat_completions.m]\nbackend = \"up\"\n",
                up.replace("openai", "opnai")
            ),
            vec!["a.toml:5: backends.up.type: unknown type \"opnai\"; did you mean \"openai\"?"],
        ),
        (
            format!("{up}[models.chat_completion.m]\nbackend = \"up\"\n"),
            vec![
                "a.toml:8: models.chat_completion: unknown kind of models \"chat_completion\"; did you mean \"chat_completions\"?",
            ],
        ),
        (
            format!(
                "{}[models.chat_completions.m]\nbackend = \"up\"\n",
                up.replace("openai", "triton")
            ),
            vec![
                "a.toml:8: models: all of them are at Triton, and this version does not speak to Triton yet",
            ],
        ),
        (
            format!(
                "{up}[backends.t]\ntype = \"triton\"\nbase_url = \"http://127.0.0.1:8\"\n[models.chat_completions.m]\n\
                 backend = \"t\"\n[models.chat_completions.n]\nbackend = \"up\"\ndefault = true\n"
            ),
            vec![
                "a.toml:11: models.chat_completions.m: its backend \"t\" is a Triton, and this version does not speak \
                 to Triton yet; without it its requests would go to models.chat_completions.n, the default: give it \
                 another backend, or remove one of the two",
            ],
        ),
    ];
    for (text, expected) in &cases {
        check("a.toml", &[(&format!("{DAEMON}{text}"), expected)]);
    }
    check(
        "a.toml",
        &[(
            "[backends.up]\ntype = \"openai\"\nbase_url = \"http://127.0.0.1:9/v1\"\ndefault = true\n[models.chat_completions.m]\n",
            &["a.toml:1: daemon: missing; expected listen_ip and listen_port"],
        )],
    );
}

#[test]
fn converter() {
    let up =
        "[[upstreams]]\nname = \"up\"\nurl = \"http://127.0.0.1:9\"\nformat = \"openai-chat\"\n";
    let route =
        "[[routes]]\npath = \"/v1/messages\"\ninput_format = \"anthropic\"\nupstream = \"up\"\n";
    for (text, expected) in [
        (
            "upstreams = []\n".to_owned(),
            vec![
                "a.toml:1: upstreams: there is none; write at least one [[upstreams]] with name, url and format",
            ],
        ),
        (
            up.to_owned(),
            vec![
                "a.toml:1: routes: there is none; write at least one [[routes]] with path, input_format and upstream",
            ],
        ),
        (
            format!("{up}{}", route.replace("\"up\"", "\"upp\"")),
            vec!["a.toml:8: routes[0].upstream: unknown upstream \"upp\"; did you mean \"up\"?"],
        ),
        (
            format!("{}{route}", up.replace("openai-chat", "openai")),
            vec![
                "a.toml:4: upstreams[0].format: unknown format \"openai\"; valid: openai-chat, openai-responses, anthropic",
            ],
        ),
        (
            format!("{up}{}", route.replace("\"anthropic\"", "\"antropic\"")),
            vec![
                "a.toml:7: routes[0].input_format: unknown format \"antropic\"; did you mean \"anthropic\"?",
            ],
        ),
        (
            format!("{up}{route}{route}"),
            vec![
                "a.toml:10: routes[1].path: /v1/messages is already the path of routes[0]; one path leads to one upstream",
            ],
        ),
        (
            format!("{up}{up}{route}"),
            vec![
                "a.toml:6: upstreams[1].name: \"up\" is already the name of another; names must differ",
            ],
        ),
        (
            format!("{up}{}", route.replace("/v1/messages", "v1/messages")),
            vec![
                "a.toml:6: routes[0].path: expected a path such as \"/v1/messages\", without \"?\" and \"#\"",
            ],
        ),
        (
            format!("[logging]\nformat = \"text\"\n{up}{route}"),
            vec!["a.toml:2: logging.format: unknown format \"text\"; valid: pretty, json"],
        ),
    ] {
        check("a.toml", &[(&text, &expected)]);
    }
}

#[test]
fn litellm() {
    let model =
        |params: &str| format!("model_list:\n- model_name: m\n  litellm_params: {{{params}}}\n");
    for (text, expected) in [
        (
            "model_list: []\n".to_owned(),
            vec![
                "a.yaml:1: model_list: there is none; write at least one model with model_name and litellm_params",
            ],
        ),
        (
            "model_list:\n- litellm_params: {model: openai/x}\n- model_name: m\n".to_owned(),
            vec![
                "a.yaml:2: model_list[0].model_name: missing; expected the name that clients ask for",
                "a.yaml:3: model_list[1].litellm_params: missing; expected a table with at least model",
            ],
        ),
        (
            model("api_key: k"),
            vec![
                "a.yaml:3: model_list[0].litellm_params.model: missing; expected \"provider/model\"",
            ],
        ),
        (
            model("model: opnai/x"),
            vec![
                "a.yaml:3: model_list[0].litellm_params.model: unknown provider \"opnai\"; did you mean \"openai\"?",
            ],
        ),
        (
            model("model: my-own"),
            vec![
                "a.yaml:3: model_list[0].litellm_params.model: whose model \"my-own\" is, is not known; write \"PROVIDER/my-own\"",
            ],
        ),
        (
            model("model: bedrock/x"),
            vec![
                "a.yaml:2: model_list: no model is left: none of them can be served by this version",
            ],
        ),
        (
            model("model: openai/x, api_key: os.environ/NOT_SET"),
            vec![
                "a.yaml:3: model_list[0].litellm_params.api_key: the environment variable NOT_SET is not set; set it, \
                 or give a default: \"${NOT_SET:-…}\"",
            ],
        ),
        (
            model("model: azure/x, api_key: k"),
            vec![
                "a.yaml:3: model_list[0].litellm_params: base_url: missing; kind \"azure\" needs one, such as \
                 \"https://llm.example.com/v1\"",
            ],
        ),
        (
            format!(
                "{}router_settings:\n  routing_strategy: least-bussy\n  fallbacks: [{{m: [n]}}]\n",
                model("model: openai/x, api_key: k")
            ),
            vec![
                "a.yaml:5: router_settings.routing_strategy: unknown strategy \"least-bussy\"; did you mean \"least-busy\"?",
                "a.yaml:6: router_settings.fallbacks[0].m[0]: unknown model \"n\"; did you mean \"m\"?",
            ],
        ),
        (
            format!(
                "{}include: [b.yaml]\n",
                model("model: openai/x, api_key: k")
            ),
            vec!["a.yaml:4: include: other files are not read; write everything into one"],
        ),
    ] {
        let setting = Setting::new().file("a.yaml", &text);
        assert_eq!(
            shown(&setting.named("a.yaml").expect_err(&text)),
            expected,
            "{text}"
        );
    }
}

#[test]
fn what_is_nobodys_is_not_imported() {
    for text in ["[server]\nport = 1\n", "a = 1\n"] {
        let errors = Setting::new()
            .file("a.toml", text)
            .imported("a.toml")
            .expect_err(text);
        assert!(
            shown(&errors)[0]
                .starts_with("a.toml:1: this is none of the formats that are imported")
        );
    }
    let errors = Setting::new()
        .file("a.toml", "[openAIConfig\n")
        .imported("a.toml");
    assert!(shown(&errors.expect_err("no TOML"))[0].starts_with("a.toml:1: "));
}
