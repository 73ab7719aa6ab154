//! What happened, in lines: a running hash of all, the last of them kept for a failure.

use std::collections::VecDeque;
use std::fmt;

use fenliu::domain::Instant;

use super::Bug;

/// So many last lines are shown with a failure.
const KEPT: usize = 25;

/// A broken check.
#[derive(Debug)]
pub(super) struct Broken {
    /// The name of the check.
    pub(super) check: &'static str,
    /// What is wrong.
    pub(super) what: String,
}

impl Broken {
    /// A check that is broken, and how.
    pub(super) fn new(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, what: what.into() }
    }
}

/// A seed that broke a check.
#[derive(Debug)]
pub(super) struct Failure {
    /// The seed.
    pub(super) seed: u64,
    bug: Option<Bug>,
    step: u64,
    /// The check, and how it is broken.
    pub(super) broken: Broken,
    tail: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, bug, step, broken, tail } = self;
        writeln!(f, "seed {seed}, step {step}: {} is broken: {}", broken.check, broken.what)?;
        if let Some(bug) = bug {
            writeln!(f, "with the planted bug {bug:?}")?;
        }
        for line in tail {
            writeln!(f, "    {line}")?;
        }
        write!(
            f,
            "repeat it: cargo test --test it -- --ignored --nocapture \
             simulation::a_seed_is_repeated seed={seed}"
        )
    }
}

/// The trace of a seed.
#[derive(Debug)]
pub(super) struct Trace {
    seed: u64,
    bug: Option<Bug>,
    step: u64,
    /// Whether every line is printed as it comes.
    aloud: bool,
    hash: u64,
    tail: VecDeque<(u64, Instant, String)>,
}

impl Trace {
    /// An empty trace.
    pub(super) fn new(seed: u64, bug: Option<Bug>, aloud: bool) -> Self {
        Self { seed, bug, step: 0, aloud, hash: 0xCBF2_9CE4_8422_2325, tail: VecDeque::new() }
    }

    /// Adds a line.
    pub(super) fn line(&mut self, now: Instant, what: String) {
        self.step += 1;
        for byte in now.0.to_le_bytes().into_iter().chain(what.bytes()) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        if self.aloud {
            println!("{} {now} {what}", self.step);
        }
        self.tail.push_back((self.step, now, what));
        if self.tail.len() > KEPT {
            self.tail.pop_front();
        }
    }

    /// The hash of all lines.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// A failure at this point.
    pub(super) fn failure(&self, broken: Broken) -> Failure {
        let tail =
            self.tail.iter().map(|(step, now, what)| format!("{step} {now} {what}")).collect();
        Failure { seed: self.seed, bug: self.bug, step: self.step, broken, tail }
    }
}
