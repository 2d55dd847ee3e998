//! TLS: who must have signed a server's certificate, and that it is this server's.

use std::{fs, io, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio_rustls::TlsConnector;

use super::{Error, link::Link};
use crate::settings::Authority;

/// The authorities of Amazon RDS, all regions: see the header of that file.
const RDS_ROOTS: &[u8] = include_bytes!("../rds-roots.pem");

/// The same link, under TLS, with a server whose certificate these authorities signed for this host.
pub(super) async fn secured(link: Link, host: &str, ca: &Authority) -> Result<Link, Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(roots(ca)?)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(failed)?;
    let (stream, number) = link.suspend()?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let stream = stream.map_err(|error| match error.kind() {
        // So rustls reports what it does not accept; all else is the network.
        io::ErrorKind::InvalidData => Error::Tls(error),
        _ => Error::Io(error),
    })?;
    // The count of packets goes on.
    Ok(Link::resumed(Box::new(stream), number))
}

pub(super) fn roots(ca: &Authority) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    // These authorities and no others:
    let file = match ca {
        Authority::Public => {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            return Ok(roots);
        }
        Authority::Rds => RDS_ROOTS.to_vec(),
        Authority::File(path) => fs::read(path).map_err(failed)?,
    };
    for certificate in CertificateDer::pem_slice_iter(&file) {
        roots.add(certificate.map_err(failed)?).map_err(failed)?;
    }
    if roots.is_empty() && !file.is_empty() {
        // A single one, not spelled as text.
        roots.add(file.into()).map_err(failed)?;
    }
    Ok(roots)
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Tls(io::Error::other(error))
}
