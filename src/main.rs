//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use fenliu::app::envelope::{Locking, Opening};
use fenliu::app::serve::Place;
use fenliu::app::{
    alerts, archive, backup, components, demo, intake, keys, rights, routing, serve, workflow,
};
use fenliu::config::settings::Settings;
use fenliu::domain::Instant;

/// Many small values live for one command only: this allocator is made for that, and was measured
/// to be worth a fifth of the throughput.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// 分流: diverts non-emergency police calls to the unit that must handle them.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the main job: a county's calls are diverted while time runs fast.
    Demo(Demo),
    /// Run the service.
    Serve(Serve),
    /// Bring the schema of a database up to date without serving: for PostgreSQL with two roles, by the
    /// one that owns the tables (deploy/postgresql-roles.sql).
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// Check a whole database: chains of events, decisions repeated, rows compared. Reads only.
    Verify {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
        /// The database, instead of that of the settings: a copy, for example.
        #[arg(long, conflicts_with = "export")]
        database: Option<String>,
        /// An export, instead of a database.
        #[arg(long)]
        export: Option<PathBuf>,
        /// The public key that must have signed every checkpoint, as `fenliu key` printed it.
        #[arg(long)]
        key: Option<String>,
        /// A checkpoint that must be there, from a mail that was kept: its number, `:` and its hash.
        #[arg(long, value_name = "NUMBER:HASH")]
        checkpoint: Option<String>,
        #[command(flatten)]
        opening: Opening,
    },
    /// Write everything to a new folder: tables as lines of JSON, and a manifest with their hashes. A
    /// service may run meanwhile. The files hold callers' personal data and secrets: keep them so.
    Export {
        /// The new folder.
        folder: PathBuf,
        #[command(flatten)]
        locking: Locking,
        #[command(flatten)]
        place: Place,
    },
    /// Take an export into an empty database, all or nothing, and check everything.
    Import {
        /// The folder of the export.
        folder: PathBuf,
        /// Tokens stay good: for moving house. Else one that was revoked after the export would be
        /// good again.
        #[arg(long)]
        keep_tokens: bool,
        #[command(flatten)]
        opening: Opening,
        #[command(flatten)]
        place: Place,
    },
    /// Copy the SQLite database to a new file, while a service may run, and verify the copy.
    Backup {
        /// The new file.
        file: PathBuf,
        #[command(flatten)]
        locking: Locking,
        #[command(flatten)]
        place: Place,
    },
    /// Make a new SQLite database from a copy that `fenliu backup` wrote, and verify it.
    Restore {
        /// The copy.
        file: PathBuf,
        #[command(flatten)]
        opening: Opening,
        #[command(flatten)]
        place: Place,
    },
    /// Print the public half of the key that signs checkpoints: note it where the database's
    /// administrators have no hand. Or see to the keys by which callers' data are kept locked.
    Key {
        /// The settings file.
        #[arg(long, global = true)]
        config: Option<PathBuf>,
        #[command(subcommand)]
        wish: Option<keys::Wish>,
    },
    /// Make a token (the service must not run on the same SQLite file; else use the API).
    Token {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Whose: a person's id or name.
        #[arg(long)]
        person: String,
        /// What for, in words.
        #[arg(long, default_value = "command line")]
        label: String,
        /// The roles count, too, that wait for a second factor in a session.
        #[arg(long)]
        strong: bool,
        /// The jurisdiction's code.
        #[arg(long)]
        jurisdiction: Option<String>,
    },
    /// Make somebody an administrator, and a token: the way back in when there is none any more (the
    /// service must not run on the same SQLite file).
    Administrator {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Who: a person's id or name.
        #[arg(long)]
        person: String,
        /// The jurisdiction's code.
        #[arg(long)]
        jurisdiction: Option<String>,
    },
    /// Give somebody an account, and print the code by which a password is chosen: the first
    /// administrator's way in (the service must not run on the same SQLite file; else use the API).
    Account {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Whose: a person's id or name.
        #[arg(long)]
        person: String,
        /// The name to sign in with.
        #[arg(long)]
        login: String,
        /// The jurisdiction's code.
        #[arg(long)]
        jurisdiction: Option<String>,
    },
    /// Print who may do and see what: the matrix of roles, acts, paths and commands.
    Rights {
        /// The folder of workflow files.
        #[arg(default_value = "workflows")]
        workflows: PathBuf,
    },
    /// Check, test and draw workflow files.
    #[command(subcommand)]
    Workflow(workflow::Wish),
    /// Check and look at the texts of messages.
    #[command(subcommand)]
    Alerts(alerts::Wish),
    /// Send calls of a file to a running service.
    #[command(subcommand)]
    Intake(intake::Wish),
    /// Train, judge and explain the router of calls.
    #[command(subcommand)]
    Routing(routing::Wish),
    /// Print the settings file with every key, its meaning and its default.
    Config,
    /// Print what the program is made of, with versions and hashes (`CycloneDX`, JSON).
    Components,
}

#[derive(Debug, Args)]
struct Demo {
    /// How many times as fast as real time (3600: a second is an hour).
    #[arg(long, default_value_t = 3600, value_parser = clap::value_parser!(i64).range(1..=86_400))]
    speed: i64,
    /// End after the report.
    #[arg(long)]
    once: bool,
    /// Write the report to this file, as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
    /// The script: when the play begins, and what is played beside the calls.
    #[arg(long, default_value = "config/demo/play.yaml")]
    script: PathBuf,
    /// Call records, one JSON object a line.
    #[arg(long, default_value = "config/demo/calls.jsonl")]
    calls: PathBuf,
    /// Play at most so many calls.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    calls_max: Option<u32>,
    /// Take calls unread, without the guard: it begins at once.
    #[arg(long)]
    unread: bool,
    /// Where to answer.
    #[arg(long)]
    listen: Option<String>,
    /// The database, instead of a fresh SQLite file: an empty PostgreSQL database.
    #[arg(long)]
    database: Option<String>,
}

#[derive(Debug, Args)]
struct Serve {
    /// The settings file.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The database, instead of that of the settings.
    #[arg(long)]
    database: Option<String>,
    /// Training: begin at this time (RFC 3339) …
    #[arg(long, requires = "speed", hide = true)]
    from: Option<String>,
    /// … and run so many times as fast …
    #[arg(long, requires = "from", hide = true)]
    speed: Option<i64>,
    /// … since this machine time (milliseconds).
    #[arg(long, requires = "from", hide = true)]
    anchor: Option<i64>,
}

fn main() -> ExitCode {
    match run(CommandLine::parse().command) {
        Ok(report) => {
            print(&report.text);
            if report.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<workflow::Report, String> {
    match command {
        Command::Demo(wish) => demonstrate(wish),
        Command::Serve(wish) => serve_for_real(wish),
        Command::Migrate { place } => {
            let run = serve::migrate(&settings_of(place)?).map_err(said)?;
            let text = format!("{run} migrations were run; the schema is up to date\n");
            Ok(workflow::Report::of(text))
        }
        Command::Verify { config, database, export, key, checkpoint, opening } => {
            let noted = archive::noted(key.as_deref(), checkpoint.as_deref()).map_err(said)?;
            let settings = settings_of(Place { config, database })?;
            let identities = opening.identities().map_err(said)?;
            serve::look_again(&settings, export.as_deref(), &noted, identities.as_ref())
                .map_err(said)
        }
        Command::Export { folder, locking, place } => {
            let settings = settings_of(place)?;
            let recipients = locking.recipients(&settings).map_err(said)?;
            let made = archive::export(&settings, &folder, recipients.as_ref()).map_err(said)?;
            Ok(archive::written(&made, &folder))
        }
        Command::Import { folder, keep_tokens, opening, place } => {
            let (settings, identities) = (settings_of(place)?, opening.identities().map_err(said)?);
            archive::import(&settings, &folder, keep_tokens, identities.as_ref()).map_err(said)?;
            Ok(archive::told(&serve::verify(&settings, &archive::Noted::default()).map_err(said)?))
        }
        Command::Backup { file, locking, place } => {
            let settings = settings_of(place)?;
            let recipients = locking.recipients(&settings).map_err(said)?;
            let made = backup::backup(&settings, &file, recipients.as_ref());
            Ok(archive::told(&made.map_err(said)?))
        }
        Command::Restore { file, opening, place } => {
            let (settings, identities) = (settings_of(place)?, opening.identities().map_err(said)?);
            let made = backup::restore(&settings, &file, identities.as_ref());
            Ok(archive::told(&made.map_err(said)?))
        }
        Command::Key { config, wish } => {
            let settings = settings(config)?;
            keys::run(&settings, wish, |line| print(&format!("{line}\n"))).map_err(said)
        }
        Command::Token { config, person, label, strong, jurisdiction } => {
            let settings = settings(config)?;
            let wish = serve::TokenWish { jurisdiction, person, label, strong };
            given(serve::token(&settings, &wish))
        }
        Command::Administrator { config, person, jurisdiction } => {
            let settings = settings(config)?;
            let label = "administrator by command line".to_owned();
            let wish = serve::TokenWish { jurisdiction, person, label, strong: true };
            given(serve::administrator(&settings, &wish))
        }
        Command::Account { config, person, login, jurisdiction } => {
            let settings = settings(config)?;
            let wish = serve::TokenWish { jurisdiction, person, label: login, strong: false };
            given(serve::account(&settings, &wish))
        }
        Command::Rights { workflows } => rights::report(&workflows),
        Command::Intake(wish) => intake::run(&wish, progress).map_err(said),
        Command::Routing(wish) => routing::run(wish, std::env::vars()).map_err(said),
        Command::Alerts(wish) => alerts::run(wish, std::env::vars()).map_err(said),
        Command::Config => Ok(workflow::Report::of(Settings::template())),
        Command::Components => components::report().map(workflow::Report::of),
        Command::Workflow(wish) => workflow::run(wish),
    }
}

/// The secret on standard output, for programs; whose it is beside it, for eyes.
fn given(made: Result<serve::Made, impl std::fmt::Display>) -> Result<workflow::Report, String> {
    let serve::Made { secret, whose } = made.map_err(said)?;
    complain(&format!("for {whose}"));
    Ok(workflow::Report::of(format!("{secret}\n")))
}

/// The settings of a file and of the environment.
fn settings(file: Option<PathBuf>) -> Result<Settings, String> {
    serve::settings(file, std::env::vars()).map_err(said)
}

/// The settings for a database.
fn settings_of(place: Place) -> Result<Settings, String> {
    place.settings(std::env::vars()).map_err(said)
}

fn demonstrate(wish: Demo) -> Result<workflow::Report, String> {
    let mut settings = settings_of(Place { config: None, database: wish.database })?;
    if let Some(listen) = wish.listen {
        settings.server.listen = listen;
    }
    let most = |most| usize::try_from(most).unwrap_or(usize::MAX);
    let options = demo::Options {
        speed: wish.speed,
        once: wish.once,
        report: wish.report,
        calls: wish.calls,
        script: wish.script,
        calls_max: wish.calls_max.map_or(usize::MAX, most),
        unread: wish.unread,
    };
    let shown = serve::demonstrate(settings, &options, |line| print(&format!("{line}\n")));
    shown.map_err(said)?;
    Ok(workflow::Report::default())
}

fn serve_for_real(wish: Serve) -> Result<workflow::Report, String> {
    let settings = settings_of(Place { config: wish.config, database: wish.database })?;
    let fast = match (wish.from, wish.speed) {
        (Some(from), Some(speed)) => {
            let from = Instant::parse(&from).map_err(|error| format!("--from: {error}"))?;
            Some(serve::Fast { from, speed, anchor: wish.anchor.map(Instant) })
        }
        _ => None,
    };
    serve::serve(&settings, fast, |line| print(&format!("{line}\n"))).map_err(said)?;
    Ok(workflow::Report::default())
}

fn said(error: impl std::fmt::Display) -> String {
    format!("fenliu: {error}")
}

fn print(text: &str) {
    use std::io::Write;
    let mut output = std::io::stdout().lock();
    // A reader that has gone (`| head`) is no reason to stop working.
    drop(output.write_all(text.as_bytes()).and_then(|()| output.flush()));
}

/// A bar that moves for eyes, a line for files.
#[expect(clippy::print_stderr, reason = "progress is told on standard error")]
fn progress(text: &str) {
    use std::io::IsTerminal;
    if std::io::stderr().is_terminal() {
        eprint!("\r{text}\u{1b}[K");
    } else {
        eprintln!("{text}");
    }
}

#[expect(clippy::print_stderr, reason = "what is for eyes is said on standard error")]
fn complain(text: &str) {
    eprintln!("{text}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_two_words_of_the_command_line_are_in_each_others_way() {
        CommandLine::command().debug_assert();
    }
}
