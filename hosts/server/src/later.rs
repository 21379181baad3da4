//! Work that requests leave behind: how long an answer takes, and whether the work fails, tells their senders nothing.

use std::fmt::Debug;

use tokio::sync::watch;

/// How much of it is not done yet.
#[derive(Clone, Default)]
pub struct Later(watch::Sender<usize>);

/// Counts until it is dropped, also when the work panics.
struct Counted(watch::Sender<usize>);

impl Later {
    /// Begins at once. `name` is what the log calls it when it fails.
    pub fn run<E: Debug>(&self, name: &'static str, work: impl Future<Output = Result<(), E>> + Send + 'static) {
        self.0.send_modify(|left| *left += 1);
        let counted = Counted(self.0.clone());
        tokio::spawn(async move {
            if let Err(error) = work.await {
                tracing::error!(work.name = name, ?error, "what a request left behind failed");
            }
            drop(counted);
        });
    }

    /// Returns when nothing is left.
    pub async fn done(&self) {
        // The sender lives in `self`, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|left| *left == 0).await;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|left| *left = left.saturating_sub(1));
    }
}
