//! Where engines listen, and what is asked of them there.

use std::path::{Path as FilePath, PathBuf};

use gateway_router::{Target, Tls, TlsError, TlsIdentity, TlsSettings};

use super::{cx::Cx, files};
use crate::config::{
    ConfigError,
    file::{Engine, TlsFile},
    yaml::Path,
};

/// The target of an endpoint. What is said of TLS holds for all of its addresses that speak it.
pub(super) fn lower(
    url: &Engine,
    management: Option<&Engine>,
    tls: Option<&TlsFile>,
    path: &Path,
    cx: &Cx<'_>,
) -> Result<Target, ConfigError> {
    let mut target = url.0.clone();
    let mut management = management.map(|url| url.0.clone());
    if let Some(file) = tls {
        let told = tls_of(file, &path.key("tls"), cx)?;
        let secure = |target: &Target| {
            if target.is_secure() {
                target.with_tls(told.clone())
            } else {
                Ok(target.clone())
            }
        };
        if !target.is_secure() && !management.as_ref().is_some_and(Target::is_secure) {
            let reason = "the engine's address is one without TLS: write it with https://";
            return Err(cx.invalid(&path.key("tls"), reason));
        }
        let refused = |error| cx.invalid(&path.key("tls"), error);
        target = secure(&target).map_err(refused)?;
        management = management
            .as_ref()
            .map(secure)
            .transpose()
            .map_err(refused)?;
    }
    Ok(match management {
        Some(management) => target.with_management(management),
        None => target,
    })
}

fn tls_of(file: &TlsFile, path: &Path, cx: &Cx<'_>) -> Result<Tls, ConfigError> {
    let read = |key: &str, file: &PathBuf| -> Result<Vec<u8>, ConfigError> {
        let base = cx.file.parent().unwrap_or_else(|| FilePath::new(""));
        let unreadable = |error| {
            let shown = file.display();
            cx.invalid(
                &path.key(key),
                format_args!("{shown} cannot be read: {error}"),
            )
        };
        files::read_pem(&base.join(file)).map_err(unreadable)
    };
    if file.insecure && file.ca_file.is_some() {
        let reason =
            "takes any certificate, and `ca_file` says which ones: leave out the one or the other";
        return Err(cx.invalid(&path.key("insecure"), reason));
    }
    let authorities = file.ca_file.as_ref().map(|file| read("ca_file", file));
    let identity = match (&file.client_cert, &file.client_key) {
        (None, None) => None,
        (Some(cert), Some(key)) => Some(TlsIdentity {
            certificates: read("client_cert", cert)?,
            key: read("client_key", key)?,
        }),
        _ => {
            let reason = "`client_cert` and `client_key` go together";
            return Err(cx.invalid(path, reason));
        }
    };
    let settings = TlsSettings {
        authorities: authorities.transpose()?,
        insecure: file.insecure,
        server_name: file.server_name.clone(),
        identity,
    };
    Tls::new(settings).map_err(|error| {
        let key = key_of(&error);
        cx.invalid(&path.key(key), error)
    })
}

/// The key that an error is about.
fn key_of(error: &TlsError) -> &'static str {
    match error {
        TlsError::Authorities => "ca_file",
        TlsError::ServerName(_) => "server_name",
        TlsError::Certificates | TlsError::Identity(_) => "client_cert",
        TlsError::Key => "client_key",
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use gateway_router::Target;
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use crate::config::{Environment, read};

    /// The target of the one endpoint, with these lines; files of a certificate and its key lie beside it.
    fn target(lines: &str) -> Result<Target, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        fs::write(folder.path().join("cert.pem"), cert.pem()).expect("written");
        fs::write(folder.path().join("key.pem"), signing_key.serialize_pem()).expect("written");
        let text = format!("endpoints:\n  - name: a\n    models: [m]\n{lines}");
        let file = folder.path().join("gateway.yaml");
        let nothing = Environment::Fixed(Default::default());
        let config = read(&text, Path::new(&file), &nothing).map_err(|error| error.to_string())?;
        Ok(config.endpoints[0].settings.target.clone())
    }

    #[test]
    fn files_lie_beside_the_configuration_and_reach_the_target() {
        let bare = target("    url: https://engine\n").expect("valid");
        let lines = "    url: https://engine\n    management: https://engine:1026\n    tls: {ca_file: cert.pem, \
                     server_name: localhost, client_cert: cert.pem, client_key: key.pem}\n";
        let told = target(lines).expect("valid");
        assert_eq!(told.to_string(), "https://engine");
        assert_ne!(told, bare);
        let plain = "    url: http://engine\n    management: https://engine:1026\n    tls: {insecure: true}\n";
        assert!(!target(plain).expect("one of both speaks it").is_secure());
    }

    #[test]
    fn mistakes_name_their_key() {
        for (tls, key, words) in [
            ("{ca_file: none.pem}", "tls.ca_file", "cannot be read"),
            ("{ca_file: key.pem}", "tls.ca_file", "no certificate"),
            ("{server_name: 'a b'}", "tls.server_name", "no name"),
            ("{client_cert: cert.pem}", "tls", "go together"),
            (
                "{client_cert: cert.pem, client_key: cert.pem}",
                "tls.client_key",
                "no private key",
            ),
            (
                "{insecure: true, ca_file: cert.pem}",
                "tls.insecure",
                "leave out",
            ),
        ] {
            let lines = format!("    url: https://engine\n    tls: {tls}\n");
            let said = target(&lines).expect_err(tls);
            assert!(said.contains(key) && said.contains(words), "{said}");
            assert!(!said.contains("PRIVATE"), "{said}");
        }
        let said =
            target("    url: http://engine\n    tls: {insecure: true}\n").expect_err("plain");
        assert!(said.contains("https://"), "{said}");
    }
}
