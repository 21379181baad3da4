//! `portcullis compile`: diagnostics on stderr, the bundle written as a whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use portcullis_compiler::{Options, TenantId};

use crate::cli::progress::Progress;
use crate::cli::source::Source;
use crate::cli::{Ending, folder_of};
use crate::clock::{Clock as _, SystemClock};
use crate::signing::BundleKey;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  portcullis compile shop.yaml -o shop.bundle --revision 7 --sign signing.key")]
pub(super) struct Compile {
    /// Policy document, YAML or JSON; `-` is standard input
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Bundle to write
    #[arg(short, long, value_name = "BUNDLE")]
    output: PathBuf,
    /// Tenant the bundle is for
    #[arg(long, default_value_t)]
    tenant: TenantId,
    /// Revision of the policy
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    revision: u64,
    /// When the bundle stops being accepted, in unix seconds; never when absent
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    expires: Option<u64>,
    /// Make void the tokens of a subject that were issued before a time in unix seconds; may be repeated
    #[arg(long = "revoke", value_name = "SUBJECT=SECONDS", value_parser = revocation)]
    revocations: Vec<(String, u64)>,
    /// File with the key that signs: 32 bytes in base64, one line
    #[arg(long, value_name = "KEYFILE")]
    sign: Option<PathBuf>,
}

/// `SUBJECT=SECONDS`; a subject may have a `=`.
fn revocation(text: &str) -> Result<(String, u64), String> {
    let (subject, seconds) = text.rsplit_once('=').ok_or("expected SUBJECT=SECONDS")?;
    let seconds = seconds.parse().map_err(|_| format!("`{seconds}` is not a number of unix seconds"))?;
    Ok((subject.to_owned(), seconds))
}

impl Compile {
    pub fn run(self) -> anyhow::Result<Ending> {
        let Some(source) = Source::read(&self.policy)? else { return Ok(Ending::Diagnosed) };
        let sign = self.sign.as_deref().map(BundleKey::read).transpose()?.map(|key| key.signing_key());
        let options = Options {
            tenant: self.tenant,
            revision: self.revision,
            created: SystemClock.now().0,
            expires: self.expires,
            sign,
            revocations: self.revocations.into_iter().collect(),
            ..Options::default()
        };
        let progress = Progress::start("compiling");
        let compiled = portcullis_compiler::compile(&source.text, &options);
        drop(progress);
        match compiled {
            Ok(compiled) => {
                source.report(&compiled.warnings);
                write(&self.output, &compiled.bundle)
                    .with_context(|| format!("cannot write `{}`", self.output.display()))?;
                Ok(Ending::Done)
            }
            Err(diagnostics) => {
                source.report(&diagnostics);
                Ok(Ending::Diagnosed)
            }
        }
    }
}

/// Into a file beside it, on the disk, then renamed: nobody ever sees half a bundle.
fn write(path: &Path, bundle: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    let readable = fs::Permissions::from_mode(0o644);
    let mut file = tempfile::Builder::new().prefix(".portcullis-").permissions(readable).tempfile_in(folder)?;
    file.write_all(bundle)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}
