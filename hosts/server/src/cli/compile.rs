//! `portcullis compile`: diagnostics on stderr, the bundle written as a whole or not at all.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use portcullis_compiler::{Diagnostic, Options, Severity, TenantId};

use crate::body::DOCUMENT_BYTES;
use crate::cli::{Ending, complain, folder_of};
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
    /// File with the key that signs: 32 bytes in base64, one line
    #[arg(long, value_name = "KEYFILE")]
    sign: Option<PathBuf>,
}

impl Compile {
    pub fn run(self) -> anyhow::Result<Ending> {
        let name = self.name();
        let bytes = self.read().with_context(|| format!("cannot read `{name}`"))?;
        let sign = self.sign.as_deref().map(BundleKey::read).transpose()?.map(|key| key.signing_key());
        let options =
            Options { tenant: self.tenant, revision: self.revision, created: SystemClock.now().0, expires: None, sign };
        let compiled = text(bytes).and_then(|text| portcullis_compiler::compile(&text, &options));
        match compiled {
            Ok(compiled) => {
                report(&name, &compiled.warnings);
                write(&self.output, &compiled.bundle)
                    .with_context(|| format!("cannot write `{}`", self.output.display()))?;
                Ok(Ending::Done)
            }
            Err(diagnostics) => {
                report(&name, &diagnostics);
                Ok(Ending::Diagnosed)
            }
        }
    }

    fn is_stdin(&self) -> bool {
        self.policy == Path::new("-")
    }

    /// How diagnostics call the document.
    fn name(&self) -> String {
        if self.is_stdin() { "stdin".to_owned() } else { self.policy.display().to_string() }
    }

    /// One byte more than a document may have is enough for the compiler to refuse it.
    fn read(&self) -> io::Result<Vec<u8>> {
        let limit = DOCUMENT_BYTES as u64 + 1;
        let mut bytes = Vec::new();
        match self.is_stdin() {
            true => io::stdin().lock().take(limit).read_to_end(&mut bytes)?,
            false => fs::File::open(&self.policy)?.take(limit).read_to_end(&mut bytes)?,
        };
        Ok(bytes)
    }
}

fn text(bytes: Vec<u8>) -> Result<String, Vec<Diagnostic>> {
    if bytes.len() > DOCUMENT_BYTES {
        // Cut in the middle, so whether it is UTF-8 is not the question.
        let message = format!("document is larger than {DOCUMENT_BYTES} bytes, the limit");
        return Err(vec![Diagnostic { severity: Severity::Error, line: 1, column: 1, message }]);
    }
    String::from_utf8(bytes).map_err(|error| vec![not_utf8(&error)])
}

fn not_utf8(error: &std::string::FromUtf8Error) -> Diagnostic {
    let legal = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
    let legal = String::from_utf8_lossy(legal);
    let line = legal.matches('\n').count() + 1;
    let column = legal.chars().rev().take_while(|&found| found != '\n').count() + 1;
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let message = "document is not UTF-8".to_owned();
    Diagnostic { severity: Severity::Error, line: number(line), column: number(column), message }
}

fn report(name: &str, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        complain(format_args!("{name}:{diagnostic}"));
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
