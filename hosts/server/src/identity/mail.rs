//! Mail, put into a maildir: whoever delivers it takes it from there.
//!
//! A message is written to `tmp` as a whole and then moved to `new`, so that nobody reads half of one.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use portcullis_directory::UnixSeconds;
use portcullis_identity::{Random as _, hex};

use crate::identity::RANDOM;

#[derive(Clone, Debug)]
pub struct Maildir {
    folder: PathBuf,
    from: String,
}

/// A text to somebody. Lines end with `\n`.
#[derive(Clone, Debug)]
pub struct Message {
    pub to: String,
    pub subject: &'static str,
    pub text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("mail cannot be put into the folder `{}`", folder.display())]
    Write { folder: PathBuf, source: io::Error },
    #[error("`{0}` cannot stand in the header of a mail")]
    Header(String),
    #[error("sending mail was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl Maildir {
    pub fn new(folder: PathBuf, from: String) -> Self {
        Self { folder, from }
    }

    pub async fn send(&self, message: Message, now: UnixSeconds) -> Result<(), MailError> {
        for header in [&message.to, &self.from] {
            if !is_address(header) {
                return Err(MailError::Header(header.clone()));
            }
        }
        let (maildir, now) = (self.clone(), now.0);
        let write = move || {
            let folder = maildir.folder.clone();
            maildir.write(&message, now).map_err(|source| MailError::Write { folder, source })
        };
        tokio::task::spawn_blocking(write).await?
    }

    fn write(&self, message: &Message, now: u64) -> io::Result<()> {
        let mut random = [0; 16];
        RANDOM.fill(&mut random).map_err(io::Error::other)?;
        let name = format!("{now}.{}.portcullis", hex(&random));
        let (unfinished, finished) = (self.folder.join("tmp"), self.folder.join("new"));
        for folder in [&unfinished, &finished, &self.folder.join("cur")] {
            create_folder(folder)?;
        }
        let path = unfinished.join(&name);
        let mut file = create_file(&path)?;
        file.write_all(self.rendered(message, &name, now).as_bytes())?;
        file.sync_all()?;
        fs::rename(path, finished.join(&name))
    }

    /// As RFC 5322 has it; addresses may be UTF-8 (RFC 6532).
    fn rendered(&self, message: &Message, name: &str, now: u64) -> String {
        let Message { to, subject, text } = message;
        let (from, date) = (&self.from, date(now));
        let domain = from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let headers = [
            ("Date", date),
            ("From", from.clone()),
            ("To", to.clone()),
            ("Message-ID", format!("<{name}@{domain}>")),
            ("Subject", (*subject).to_owned()),
            ("Auto-Submitted", "auto-generated".to_owned()),
            ("MIME-Version", "1.0".to_owned()),
            ("Content-Type", "text/plain; charset=utf-8".to_owned()),
            ("Content-Transfer-Encoding", "8bit".to_owned()),
        ];
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{headers}\r\n{}", text.replace('\n', "\r\n"))
    }
}

/// Nothing that ends a line, or that makes another address of one.
pub fn is_address(text: &str) -> bool {
    let legal = |found: char| !found.is_control() && !found.is_whitespace() && !matches!(found, ',' | ';' | '<' | '>');
    text.contains('@') && text.chars().all(legal)
}

fn create_folder(path: &std::path::Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn create_file(path: &std::path::Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Unix seconds as RFC 5322 section 3.3 writes them, in UTC.
fn date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let weekday = DAYS[(days % 7) as usize];
    let mut year = 1970;
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (day, hour, minute) = (days + 1, second / 3600, second / 60 % 60);
    format!("{weekday}, {day:02} {} {year} {hour:02}:{minute:02}:{:02} +0000", MONTHS[month], second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_700_000_000, "Tue, 14 Nov 2023 22:13:20 +0000"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 +0000"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 +0000"),
        ] {
            assert_eq!(date(seconds), expected);
        }
    }

    #[tokio::test]
    async fn a_message_stands_in_new_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::new(folder.path().join("mail"), "server@example.org".to_owned());
        let message = |to: &str| Message { to: to.to_owned(), subject: "Hello", text: "one\ntwo\n".to_owned() };
        maildir.send(message("bob@example.org"), UnixSeconds(1_700_000_000)).await.unwrap();
        let list = |name: &str| fs::read_dir(folder.path().join("mail").join(name)).unwrap().collect::<Vec<_>>();
        assert!(list("tmp").is_empty());
        let file = list("new").pop().unwrap().unwrap().path();
        let text = fs::read_to_string(file).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(
            "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nFrom: server@example.org\r\nTo: bob@example.org\r\n"
        ));
        assert_eq!(body, "one\r\ntwo\r\n");
        for to in ["a@b\r\nBcc: c@d", "a@b,c@d", "a b@c", "nobody"] {
            assert!(matches!(maildir.send(message(to), UnixSeconds(0)).await, Err(MailError::Header(_))), "{to}");
        }
        assert_eq!(list("new").len(), 1);
    }
}
