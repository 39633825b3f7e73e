//! Upstreams over TLS: trusted by the public authorities, or by those that the operator names.

use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use server::config::Config;
use sqlx::Row;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::test_app::{TestApp, config_for, error, hello};
use crate::upstream::{ANSWER, Upstream, response};

/// Starts an upstream whose certificate, for `localhost`, is signed by an authority of its own; that
/// one's certificate goes to `ca_file`. Returns the port.
async fn start(ca_file: &Path) -> u16 {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(ca_file, authority.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut request = [0; 4096];
                while matches!(stream.read(&mut request).await, Ok(1..)) {
                    let answer = response("200 OK", "", ANSWER);
                    stream.write_all(&answer).await.unwrap();
                }
            });
        }
    });
    port
}

async fn config(port: u16) -> Config {
    let mut config = config_for(&Upstream::start(Vec::new()).await);
    config.providers[0].base_url = Some(format!("https://localhost:{port}/v1"));
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_of_the_operators_own_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    let mut config = config(start(&ca_file).await).await;
    config.server.ca_file = Some(ca_file);
    let app = TestApp::start(config).await;
    for _ in 0..3 {
        assert_eq!(app.chat(&hello("m")).send().await.unwrap().status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_that_nobody_knows_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let port = start(&folder.path().join("ca.pem")).await;
    let app = TestApp::start(config(port).await).await;
    let response = app.chat(&hello("m")).send().await.unwrap();
    assert_eq!(response.status(), 502);
    let refusal = error(response).await;
    assert!(
        refusal["message"]
            .as_str()
            .unwrap()
            .contains("UnknownIssuer"),
        "{refusal}"
    );
    assert_eq!(
        app.record().await.get::<String, _>("error_kind"),
        "unreachable"
    );
}
