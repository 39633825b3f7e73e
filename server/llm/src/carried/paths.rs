//! Where a provider has its endpoints.

use std::fmt;

use crate::codec::Target;

/// How an endpoint's path is made into a provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paths {
    /// As it is.
    Plain,
    /// Under another one: `/v1`.
    Under(&'static str),
    /// `/deployments/{model}` before it and `?api-version=…` behind, with this version where the operator chose none.
    Deployments { api_version: &'static str },
}

impl Paths {
    /// The provider's path of an endpoint, relative to its base URL.
    pub fn path(self, endpoint: &str, target: &Target<'_>) -> String {
        match self {
            Self::Plain => endpoint.to_owned(),
            Self::Under(prefix) => format!("{prefix}{endpoint}"),
            Self::Deployments { api_version } => {
                let version = target.api_version.unwrap_or(api_version);
                let (model, version) = (Escaped(target.model), Escaped(version));
                format!("/deployments/{model}{endpoint}?api-version={version}")
            }
        }
    }
}

/// A segment of a path or a value of a query, with all but unreserved characters escaped (RFC 3986).
pub(crate) struct Escaped<'a>(pub &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_is_a_part_of_the_path() {
        let target = Target::new("my gpt/image");
        let azure = Paths::Deployments {
            api_version: "2024-10-21",
        };
        assert_eq!(
            azure.path("/images/generations", &target),
            "/deployments/my%20gpt%2Fimage/images/generations?api-version=2024-10-21"
        );
        assert_eq!(Paths::Plain.path("/moderations", &target), "/moderations");
        assert_eq!(
            Paths::Under("/v1").path("/embeddings", &target),
            "/v1/embeddings"
        );
    }
}
