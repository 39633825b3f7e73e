//! Each mistake and the exact words it is met with.

use crate::setting::{Setting, shown, toml, warnings, yaml};

const PROVIDER: &str = "[[providers]]\nname = \"a\"\nkind = \"openai\"\n";

/// Text after a valid provider, which takes the first three lines.
fn after_provider(text: &str) -> Vec<String> {
    shown(&toml(&format!("{PROVIDER}{text}")).expect_err(text))
}

#[test]
fn keys_and_values() {
    for (text, expected) in [
        (
            "kindd = \"openai\"",
            "a.toml:4: providers[0].kindd: unknown key; did you mean \"kind\"?",
        ),
        (
            "apiKey = \"x\"",
            "a.toml:4: providers[0].apiKey: unknown key; did you mean \"api_key\"?",
        ),
        (
            "[serverr]\nport = 1",
            "a.toml:4: serverr: unknown key; did you mean \"server\"?",
        ),
        (
            "[server]\nfoo = 1",
            "a.toml:5: server.foo: unknown key; valid: host, port, max_body_size, max_concurrent_requests, \
             strict, time_zone, assumed_output_tokens, drain_timeout, trusted_proxies, allow_addresses, ca_file, timeouts",
        ),
        (
            "[server.timeouts]\nfirst-byte = \"1s\"",
            "a.toml:5: server.timeouts.first-byte: unknown key; did you mean \"first_byte\"?",
        ),
        (
            "[server]\nport = 80800",
            "a.toml:5: server.port: expected a whole number from 0 to 65535, found \"80800\"",
        ),
        (
            "[server]\nport = true",
            "a.toml:5: server.port: expected a whole number from 0 to 65535, found true or false",
        ),
        (
            "[server]\nhost = \"gateway.local\"",
            "a.toml:5: server.host: expected an IP address such as \"127.0.0.1\", \"0.0.0.0\" or \"::1\", found \
             \"gateway.local\"",
        ),
        (
            "[server]\nmax_body_size = \"32 apples\"",
            "a.toml:5: server.max_body_size: expected a size such as \"32MiB\", \"500KB\" or a number of bytes, \
             found \"32 apples\"",
        ),
        (
            "[server]\nmax_body_size = 0",
            "a.toml:5: server.max_body_size: must be at least 1",
        ),
        (
            "[server]\ndrain_timeout = 30",
            "a.toml:5: server.drain_timeout: 30 has no unit; write \"30s\" or \"30ms\"",
        ),
        (
            "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"10.0.0.0/99\"]",
            "a.toml:5: server.trusted_proxies[1]: expected a network such as \"10.0.0.0/8\" or an IP address, found \
             \"10.0.0.0/99\"",
        ),
        (
            "[server.timeouts]\nconnect = \"0s\"",
            "a.toml:5: server.timeouts.connect: must be more than 0",
        ),
        (
            "server = 8080",
            "a.toml:4: providers[0].server: unknown key; valid: name, kind, protocol, base_url, api_key, api_keys, pass_client_key, api_version, model, enabled, default, fallbacks, max_concurrent, queue, queue_timeout, headers, health, timeouts, simulated",
        ),
        (
            "[admin]\nport = 8080",
            "a.toml:5: admin.port: 8080 is also server.port; choose another port for one of them",
        ),
        (
            "[server]\nport = 8081",
            "a.toml:5: server.port: 8081 is also admin.port; choose another port for one of them",
        ),
        (
            "[server]\nhost = \"0.0.0.0\"\n[grpc]\nport = 8081",
            "a.toml:7: grpc.port: 8081 is also admin.port; choose another port for one of them",
        ),
        (
            "[admin]\ntoken = 12345",
            "a.toml:5: admin.token: expected text: put it in quotes",
        ),
        (
            "[admin]\ntoken = \"********\"",
            "a.toml:5: admin.token: this is the mask of a secret, not the secret; write \"${VARIABLE}\"",
        ),
        (
            "[database]\nurl = \"postgres://user:hush@db/x\"",
            "a.toml:5: database.url: PostgreSQL is not served by this version yet; expected \"sqlite:PATH\"",
        ),
        (
            "[database]\nurl = \"mysql://user:hush@db/x\"",
            "a.toml:5: database.url: unknown kind of database; expected \"sqlite:PATH\"",
        ),
        (
            "[database]\nurl = \"sqlite://\"",
            "a.toml:5: database.url: names no file; expected \"sqlite:PATH\"",
        ),
        (
            "[database]\nurl = \"sqlite::memory:\"",
            "a.toml:5: database.url: a database in memory is not supported; expected \"sqlite:PATH\"",
        ),
        (
            "[database]\nurl = \"sqlite:a.db?mode=ro\"",
            "a.toml:5: database.url: parameters are not supported; expected \"sqlite:PATH\"",
        ),
        (
            "[recording]\nqueue_size = 10000001",
            "a.toml:5: recording.queue_size: must be at most 10000000",
        ),
        (
            "[server]\nmax_concurrent_requests = 18446744073709551615",
            "a.toml:5: server.max_concurrent_requests: must be at most 10000000",
        ),
        (
            "[recording]\nqueue_size = 0",
            "a.toml:5: recording.queue_size: must be at least 1",
        ),
        (
            "[logging]\nlevel = \"inof\"",
            "a.toml:5: logging.level: unknown level \"inof\"; did you mean \"info\"?",
        ),
        (
            "[logging]\nlevel = \"info,server::store=debgu\"",
            "a.toml:5: logging.level: unknown level \"debgu\"; did you mean \"debug\"?",
        ),
        (
            "[logging]\nformat = \"jsn\"",
            "a.toml:5: logging.format: unknown format \"jsn\"; did you mean \"json\"?",
        ),
        (
            "[system_prompt]\ntext = [\"a\"]",
            "a.toml:5: system_prompt.text: expected text, found a list",
        ),
    ] {
        assert_eq!(after_provider(text), [expected], "{text}");
    }
}

#[test]
fn providers() {
    for (text, expected) in [
        (
            "[[providers]]\nname = \"a\"\nkind = \"openai\"",
            "a.toml:5: providers[1].name: \"a\" is already the name of providers[0]; names must differ",
        ),
        (
            "[[providers]]\nname = \"b\"\nkind = \"openia\"",
            "a.toml:6: providers[1].kind: unknown kind \"openia\"; did you mean \"openai\"?",
        ),
        (
            "[[providers]]\nname = \"b\"",
            "a.toml:4: providers[1].kind: missing; expected text",
        ),
        (
            "[[providers]]\nkind = \"openai\"",
            "a.toml:4: providers[1].name: missing; expected text",
        ),
        (
            "[[providers]]\nname = \"b/c\"\nkind = \"openai\"",
            "a.toml:5: providers[1].name: \"b/c\" cannot be a name; expected ASCII without spaces and \"/\"",
        ),
        (
            "[[providers]]\nname = \"b\"\nkind = \"openai-compatible\"",
            "a.toml:4: providers[1].base_url: missing; kind \"openai-compatible\" needs one, such as \
             \"https://llm.example.com/v1\"",
        ),
        (
            "protocol = \"openai_cat\"",
            "a.toml:4: providers[0].protocol: unknown protocol \"openai_cat\"; did you mean \"openai_chat\"?",
        ),
        (
            "base_url = \"ftp://example.com\"",
            "a.toml:4: providers[0].base_url: expected a URL that begins with \"http://\" or \"https://\"",
        ),
        (
            "base_url = \"example.com/v1\"",
            "a.toml:4: providers[0].base_url: not a URL; expected one such as \"https://llm.example.com/v1\"",
        ),
        (
            "base_url = \"https://example.com/v1?key=hush\"",
            "a.toml:4: providers[0].base_url: must end with its path, without \"?\" or \"#\"",
        ),
        (
            "base_url = \"https://user:hush@example.com/v1\"",
            "a.toml:4: providers[0].base_url: holds a user name or password; write them as api_key or headers instead",
        ),
        (
            "api_key = \"hu\\nsh\"",
            "a.toml:4: providers[0].api_key: holds characters that cannot be sent in a header; expected printable \
             ASCII",
        ),
        (
            "headers = { \"x y\" = \"1\" }",
            "a.toml:4: providers[0].headers.x y: \"x y\" is no header's name",
        ),
        (
            "headers = { Host = \"1\" }",
            "a.toml:4: providers[0].headers.Host: the gateway sets this header itself; leave it out",
        ),
        (
            "default = true\n[[providers]]\nname = \"b\"\nkind = \"openai\"\ndefault = true",
            "a.toml:8: providers[1].default: providers[0] is already the default; there can be one only",
        ),
        (
            "enabled = false",
            "a.toml:1: providers: no provider is enabled, so there is nothing to serve; write at least one \
             [[providers]]",
        ),
        (
            "simulated = { fault = \"stal\" }",
            "a.toml:4: providers[0].simulated.fault: unknown fault \"stal\"; did you mean \"stall\"?",
        ),
    ] {
        assert_eq!(after_provider(text), [expected], "{text}");
    }
    assert_eq!(
        shown(&toml("providers = []").expect_err("no provider")),
        [
            "a.toml:1: providers: no provider is enabled, so there is nothing to serve; write at least one \
             [[providers]]"
        ]
    );
}

#[test]
fn models_keys_and_prices() {
    for (text, expected) in [
        (
            "[[models]]\nname = \"m\"\ntargets = [{ provider = \"aa\" }]",
            "a.toml:6: models[0].targets[0].provider: unknown provider \"aa\"; did you mean \"a\"?",
        ),
        (
            "[[models]]\nname = \"m\"\ntargets = [{ model = \"x\" }]",
            "a.toml:6: models[0].targets[0].provider: missing; expected text",
        ),
        (
            "[[models]]\nname = \"m\"",
            "a.toml:4: models[0].targets: a model needs at least one target, such as { provider = \"…\" }",
        ),
        (
            "[[models]]\nname = \"m\"\nstrategy = \"round-robbin\"\ntargets = [{ provider = \"a\" }]",
            "a.toml:6: models[0].strategy: unknown strategy \"round-robbin\"; did you mean \"round_robin\"?",
        ),
        (
            "[[models]]\nname = \"m\"\ntargets = [{ provider = \"a\", weight = 0 }]",
            "a.toml:6: models[0].targets: every weight is 0, so no target would be chosen; give one more",
        ),
        (
            "[[models]]\nname = \"m\"\nmax_attempts = 0\ntargets = [{ provider = \"a\" }]",
            "a.toml:6: models[0].max_attempts: must be at least 1",
        ),
        (
            "[[models]]\nname = \"m\"\ntargets = [{ provider = \"a\" }]\n[[models]]\nname = \"m\"\ntargets = [{ \
             provider = \"a\" }]",
            "a.toml:8: models[1].name: \"m\" is already the name of models[0]; names must differ",
        ),
        (
            "[[models]]\nname = \"m\"\ntargets = [\"a\"]",
            "a.toml:6: models[0].targets[0]: expected a table, found text",
        ),
        (
            "[keys]\nname = \"k\"",
            "a.toml:4: keys: expected a list of tables, found a table; in TOML write [[keys]], in YAML \"- name: …\"",
        ),
        (
            "[[keys]]\nname = \"k\"\nkey = \"\"",
            "a.toml:6: keys[0].key: missing; expected text",
        ),
        (
            "[[keys]]\nname = \"k\"\nkey = \"x\"\n[[keys]]\nname = \"k\"\nkey = \"y\"",
            "a.toml:8: keys[1].name: \"k\" is already the name of keys[0]; names must differ",
        ),
        (
            "[[keys]]\nname = \"k\"\nkey = \"x\"\n[[keys]]\nname = \"l\"\nkey = \"x\"",
            "a.toml:9: keys[1].key: the same key as \"k\"; one of the two is of no use",
        ),
        (
            "[[prices]]\nmodel = \"m\"\ninput = -1\noutput = 2",
            "a.toml:6: prices[0].input: a price cannot be negative; found -1",
        ),
        (
            "[[prices]]\nmodel = \"m\"\ninput = 1\noutput = \"cheap\"",
            "a.toml:7: prices[0].output: expected US dollars per million tokens such as 2.5, found \"cheap\"",
        ),
        (
            "[[prices]]\nprovider = \"b\"\nmodel = \"m\"\ninput = 1\noutput = 2",
            "a.toml:5: prices[0].provider: unknown provider \"b\"; did you mean \"a\"?",
        ),
        (
            "[[prices]]\nmodel = \"m\"\ninput = 1\noutput = 2\n[[prices]]\nmodel = \"m\"\ninput = 1\noutput = 2",
            "a.toml:9: prices[1].model: prices[0] already gives this model's price",
        ),
        (
            "[[unit_prices]]\nmodel = \"m\"\nunit = \"imge\"\neach = 1",
            "a.toml:6: unit_prices[0].unit: unknown unit \"imge\"; did you mean \"image\"?",
        ),
        (
            "[[unit_prices]]\nmodel = \"m\"\nunit = \"search\"\neach = \"a lot\"",
            "a.toml:7: unit_prices[0].each: expected US dollars such as 0.04, found \"a lot\"",
        ),
        (
            "[[unit_prices]]\nmodel = \"m\"\nunit = \"second\"\neach = 1\n[[unit_prices]]\nmodel = \"m\"\nunit = \"second\"\neach = 1",
            "a.toml:9: unit_prices[1].model: unit_prices[0] already gives this model's price",
        ),
    ] {
        assert_eq!(after_provider(text), [expected], "{text}");
    }
}

#[test]
fn all_are_named_in_the_order_of_the_file() {
    let text = "[server]\nport = \"x\"\nhots = \"\"\n[[providers]]\nnam = \"a\"\nkind = \"opnai\"\n[logging]\nlevel = \
                \"loud\"\n";
    assert_eq!(
        shown(&toml(text).expect_err("five mistakes")),
        [
            "a.toml:2: server.port: expected a whole number from 0 to 65535, found \"x\"",
            "a.toml:3: server.hots: unknown key; did you mean \"host\"?",
            "a.toml:4: providers[0].name: missing; expected text",
            "a.toml:5: providers[0].nam: unknown key; did you mean \"name\"?",
            "a.toml:6: providers[0].kind: unknown kind \"opnai\"; did you mean \"openai\"?",
            "a.toml:8: logging.level: unknown level \"loud\"; valid: off, error, warn, info, debug, trace",
        ]
    );
}

#[test]
fn variables() {
    for (text, expected) in [
        (
            "api_key = \"${OPENAI_API_KEY}\"",
            "a.toml:4: providers[0].api_key: the environment variable OPENAI_API_KEY is not set; set it, or give a \
             default: \"${OPENAI_API_KEY:-…}\"",
        ),
        (
            "headers = { x-org = \"${ORG}\" }",
            "a.toml:4: providers[0].headers.x-org: the environment variable ORG is not set; set it, or give a \
             default: \"${ORG:-…}\"",
        ),
        (
            "model = \"${\"",
            "a.toml:4: providers[0].model: \"${\" without \"}\"; write \"${NAME}\", or \"$${\" for the characters \
             themselves",
        ),
    ] {
        assert_eq!(after_provider(text), [expected], "{text}");
    }
    let overridden = Setting::new()
        .variable("GATEWAY_SERVER_PORT", "eighty")
        .variable("GATEWAY_PROVIDERS_B_KIND", "opnai")
        .found();
    assert_eq!(
        shown(&overridden.expect_err("no port")),
        [
            "GATEWAY_SERVER_PORT: server.port: expected a whole number from 0 to 65535, found \"eighty\"",
            "GATEWAY_PROVIDERS_B_KIND: providers[0].kind: unknown kind \"opnai\"; did you mean \"openai\"?",
        ]
    );
    let ambiguous = Setting::new()
        .file(
            "a.toml",
            "[[keys]]\nname = \"a-b\"\nkey = \"1\"\n[[keys]]\nname = \"a.b\"\nkey = \"2\"\n",
        )
        .variable("GATEWAY_KEYS_A_B_KEY", "x")
        .named("a.toml");
    assert_eq!(
        shown(&ambiguous.expect_err("ambiguous"))[0],
        "GATEWAY_KEYS_A_B_KEY: keys[1].key: the variable could also mean keys[0].key; rename one of the two"
    );
}

#[test]
fn syntax() {
    for (text, expected) in [
        (
            "[server\nport = 1\n",
            "a.toml:1: unclosed table, expected `]`",
        ),
        ("[server]\nport = 1\nport = 2\n", "a.toml:3: duplicate key"),
        ("\n\nport 1\n", "a.toml:3: key with no value, expected `=`"),
    ] {
        let found = shown(&toml(text).expect_err(text));
        assert_eq!(found[0], expected, "{text}");
    }
    for (text, expected) in [
        (
            "server:\n  port: 1\n  port: 2\n",
            "a.yaml:3: duplicate key \"port\", first in line 2",
        ),
        (
            "server: &a\n  port: 1\nadmin: *a\n",
            "a.yaml:3: anchors and aliases are not read; write the value out",
        ),
        (
            "- a\n- b\n",
            "a.yaml:1: expected keys with values (`server:`), found a list",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "a.yaml:2: a second document begins; write everything into one",
        ),
        ("? [a]\n: 1\n", "a.yaml:1: a key must be text, not a list"),
        (
            "server:\n\tport: 1\n",
            "a.yaml:2: tabs disallowed within this context (block indentation)",
        ),
    ] {
        let found = shown(&yaml(text).expect_err(text));
        assert_eq!(found, [expected], "{text}");
    }
}

#[test]
fn yaml_is_met_with_the_same_words() {
    let text = "server:\n  prot: 1\nproviders:\n  - name: a\n    kind: opnai\n  - name: 5\n    kind: openai\n";
    assert_eq!(
        shown(&yaml(text).expect_err("three mistakes")),
        [
            "a.yaml:2: server.prot: unknown key; did you mean \"port\"?",
            "a.yaml:5: providers[0].kind: unknown kind \"opnai\"; did you mean \"openai\"?",
            "a.yaml:6: providers[1].name: expected text: put it in quotes",
        ]
    );
}

#[test]
fn warned_but_served() {
    for (text, expected) in [
        (
            "[grpc]\nport = 9000",
            "a.toml:4: grpc: this version does not serve gRPC yet",
        ),
        (
            "[server]\nhost = \"0.0.0.0\"",
            "a.toml:5: server.host: there are no [[keys]]: unless the dashboard has made some, whoever reaches 0.0.0.0 can use the providers",
        ),
        (
            "[[keys]]\nname = \"k\"\nkey = \"x\"\nenabled = false\n[server]\nhost = \"0.0.0.0\"",
            "a.toml:4: keys: none of the [[keys]] is enabled: every request is refused with 401; enable one, or \
             remove them all to serve whoever comes",
        ),
        (
            "[[keys]]\nname = \"k\"\nkey = \"x\"\nenabled = false\n",
            "a.toml:4: keys: none of the [[keys]] is enabled: every request is refused with 401; enable one, or \
             remove them all to serve whoever comes",
        ),
        (
            "[[providers]]\nname = \"b\"\nkind = \"openai\"\nenabled = false\n[[models]]\nname = \"m\"\ntargets = [{ \
             provider = \"b\" }]",
            "a.toml:10: models[0].targets: no target's provider is enabled: requests for it will fail",
        ),
        (
            "[[providers]]\nname = \"b\"\nkind = \"openai\"\nenabled = false\ndefault = true",
            "a.toml:8: providers[1].default: the default is not enabled, so it takes nothing",
        ),
        (
            "[[providers]]\nname = \"b\"\nkind = \"openai\"\npass_client_key = true\n[[keys]]\nname = \"k\"\nkey = \"x\"",
            "a.toml:7: providers[1].pass_client_key: of no effect: the provider has a key of the gateway's",
        ),
        (
            "[[providers]]\nname = \"b\"\nkind = \"ollama\"\npass_client_key = true\n[[keys]]\nname = \"k\"\nkey = \"x\"",
            "a.toml:7: providers[1].pass_client_key: of no effect: clients send keys of the gateway's, which never go \
             upstream",
        ),
    ] {
        let setting = Setting::new().file("a.toml", &format!("{PROVIDER}{text}"));
        let setting = setting.variable("OPENAI_API_KEY", "sk-1");
        let loaded = setting.named("a.toml").expect(text);
        assert_eq!(warnings(&loaded), [expected], "{text}");
    }
    let loaded = toml("").expect("an empty file");
    assert_eq!(
        warnings(&loaded),
        ["providers: there are none: the built-in simulated provider answers"]
    );
}

#[test]
fn a_service_without_its_key_is_warned_of() {
    let missing = "a.toml:1: providers[0].api_key: missing: OpenAI answers nobody without a key; set it or the \
                   variable OPENAI_API_KEY (see https://platform.openai.com/docs/api-reference)";
    for (text, expected) in [
        ("", vec![missing]),
        ("base_url = \"https://llm.example.com/v1\"", vec![missing]),
        ("api_key = \"sk-1\"", vec![]),
        ("pass_client_key = true", vec![]),
        ("enabled = false", vec![]),
        ("headers = { Authorization = \"Bearer x\" }", vec![]),
        ("base_url = \"http://127.0.0.1:8080/v1\"", vec![]),
        ("base_url = \"http://[::1]:8080/v1\"", vec![]),
        ("base_url = \"http://localhost/v1\"", vec![]),
    ] {
        let other = "\n[[providers]]\nname = \"b\"\nkind = \"simulated\"\n";
        let loaded = toml(&format!("{PROVIDER}{text}{other}")).expect(text);
        assert_eq!(warnings(&loaded), expected, "{text}");
    }
    let text = "[[providers]]\nname = \"a\"\nkind = \"openai-compatible\"\nbase_url = \"http://vllm:8000/v1\"";
    assert_eq!(warnings(&toml(text).expect(text)), [""; 0]);
}

#[test]
fn messages_hold_no_secrets() {
    for text in [
        "api_key = \"hush\\u0007\"",
        "api_key = \" hush\"",
        "base_url = \"https://u:hush@example.com\"",
        "base_url = \"https://example.com?k=hush\"",
        "base_url = \"hush\"",
        "[database]\nurl = \"postgres://u:hush@h/d\"",
        "[admin]\ntoken = [\"hush\"]",
    ] {
        for message in after_provider(text) {
            assert!(!message.contains("hush"), "{message}");
        }
    }
}
