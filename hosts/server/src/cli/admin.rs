//! `portcullis admin`: users and passwords on the machine itself, by whoever may read its settings and write its database.
//!
//! A running server sees the change at the next request. It is written to the audit trail with the author `admin:local`.

use std::io::{self, BufRead as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use portcullis_directory::{
    AccountChange, ChangeError, Details, Directory, Email, NewUser, RoleName, RoleSet, UserId, UserState,
};
use portcullis_identity::Secret;
use portcullis_identity::passwords::{MIN_SCORE, Passwords, Rules, weaknesses};

use crate::cli::Ending;
use crate::cli::serve::{configured, create_folder, open};
use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, Flags};
use crate::identity::RANDOM;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  portcullis admin create-user alice --role admin --email alice@example.org\n  \
    portcullis admin reset-password alice --password-stdin < password.txt\n\n\
    Settings come from where `portcullis serve` has them. A password that is not given is made and printed.")]
pub(super) struct Admin {
    #[command(subcommand)]
    task: Task,
    /// Configuration file
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// Create a user with a password
    CreateUser {
        id: String,
        /// Address by which it logs in
        #[arg(long)]
        email: Option<String>,
        /// Role, as often as there are some
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// Read the password from standard input, one line
        #[arg(long)]
        password_stdin: bool,
    },
    /// Give a user another password; its sessions end
    ResetPassword {
        id: String,
        /// Read the password from standard input, one line
        #[arg(long)]
        password_stdin: bool,
        /// Turn the second factor off too; its API keys are taken away
        #[arg(long)]
        without_otp: bool,
    },
}

/// Nobody's id: user ids of dialects have no colon.
const AUTHOR: &str = "admin:local";

impl Admin {
    pub fn run(self) -> anyhow::Result<Ending> {
        let Self { task, config: file, flags } = self;
        let Some(config) = configured(file, flags) else { return Ok(Ending::Diagnosed) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start")?;
        runtime.block_on(task.carry_out(config))?;
        Ok(Ending::Done)
    }
}

impl Task {
    async fn carry_out(self, config: Config) -> anyhow::Result<()> {
        let (is_given, about) = match &self {
            Self::CreateUser { password_stdin, email, id, .. } => (*password_stdin, email.as_deref().unwrap_or(id)),
            Self::ResetPassword { password_stdin, id, .. } => (*password_stdin, id.as_str()),
        };
        let password = if is_given { read(about)? } else { Secret::generate(&RANDOM)?.reveal() };
        let hash = Passwords::new(config.identity.cost, 1, &RANDOM)?.hash(&password, &RANDOM).await?;
        create_folder(&config.data_dir)?;
        let directory = open(config.database).await?;
        let done = match self {
            Self::CreateUser { id, email, roles, .. } => create(&directory, &id, (email, roles), hash).await,
            Self::ResetPassword { id, without_otp, .. } => reset(&directory, &id, hash, without_otp).await,
        };
        directory.close().await?;
        done?;
        if !is_given {
            writeln!(io::stdout().lock(), "password: {password}").context("cannot write to standard output")?;
        }
        Ok(())
    }
}

async fn create(
    directory: &Directory,
    id: &str,
    (email, roles): (Option<String>, Vec<String>),
    hash: String,
) -> anyhow::Result<()> {
    let roles = roles.iter().map(|role| RoleName::parse(role)).collect::<Result<Vec<_>, _>>()?;
    let user = NewUser { id: UserId::parse(id)?, state: UserState::active(), roles: RoleSet::new(roles)? };
    let email = email.as_deref().map(Email::parse).transpose()?;
    let change = directory.change(&UserId::parse(AUTHOR)?, || SystemClock.written_at()).await?;
    change.create_account(&user, &Details { email, ..Details::default() }).await?;
    change.set_password(&user.id, Some(hash), None).await?;
    Ok(change.commit().await?)
}

async fn reset(directory: &Directory, id: &str, hash: String, without_otp: bool) -> anyhow::Result<()> {
    let id = UserId::parse(id)?;
    let change = directory.change(&UserId::parse(AUTHOR)?, || SystemClock.written_at()).await?;
    match change.set_password(&id, Some(hash), None).await {
        Err(ChangeError::NotFound { .. }) => bail!("there is no user `{id}`"),
        set => set?,
    }
    if without_otp {
        change.update_user(&id, &AccountChange { otp: Some(false), ..AccountChange::default() }).await?;
        change.set_totp_seed(&id, None).await?;
    }
    Ok(change.commit().await?)
}

/// One line of standard input that is a password.
fn read(about: &str) -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read the password")?;
    let password = line.trim_end_matches(['\r', '\n']);
    let rules = Rules { min_chars: 8, max_chars: 1024, min_score: MIN_SCORE, own: &|_| None };
    if !weaknesses(password, &[about], &rules).is_empty() {
        bail!("the password is too short, or easy to guess");
    }
    Ok(password.to_owned())
}
