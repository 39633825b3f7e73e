//! Whom upstream connections trust.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Certificates of authorities that upstreams are trusted by, beside the built-in ones.
#[derive(Clone, Debug, Default)]
pub struct OwnAuthorities(Vec<CertificateDer<'static>>);

/// Why a file of certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("{file}: {source}")]
    Unreadable {
        file: PathBuf,
        source: rustls::pki_types::pem::Error,
    },
    #[error("{0}: it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")]
    Empty(PathBuf),
    #[error("{file}: one of its certificates cannot be used: {source}")]
    Unusable {
        file: PathBuf,
        source: rustls::Error,
    },
}

impl OwnAuthorities {
    /// The certificates in a PEM file.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn read(file: &Path) -> Result<Self, CertificateError> {
        let certificates: Vec<_> = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect)
            .map_err(|source| CertificateError::Unreadable {
                file: file.to_owned(),
                source,
            })?;
        if certificates.is_empty() {
            return Err(CertificateError::Empty(file.to_owned()));
        }
        let mut roots = RootCertStore::empty();
        for certificate in &certificates {
            roots
                .add(certificate.clone())
                .map_err(|source| CertificateError::Unusable {
                    file: file.to_owned(),
                    source,
                })?;
        }
        Ok(Self(certificates))
    }
}

/// Trusts Mozilla's root certificates, as built in (a bare container needs no certificate files), and
/// the operator's own.
pub(super) fn client_config(own: &OwnAuthorities) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    roots.add_parsable_certificates(own.0.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports rustls' default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}
