//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use fenliu::app::{alerts, demo, rights, serve, workflow};
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
    /// Check a whole database: chains of events, decisions repeated, rows compared. Reads only.
    Verify {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
        /// The database, instead of that of the settings.
        #[arg(long)]
        database: Option<String>,
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
    Workflow(Workflow),
    /// Check and look at the texts of messages.
    #[command(subcommand)]
    Alerts(Alerts),
    /// Print the settings file with every key, its meaning and its default.
    Config,
}

#[derive(Debug, Args)]
struct Demo {
    /// How many times as fast as real time (3600: a second is an hour).
    #[arg(long, default_value_t = 3600)]
    speed: i64,
    /// End after the report.
    #[arg(long)]
    once: bool,
    /// Write the report to this file, as JSON.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Call records, one JSON object a line.
    #[arg(long, default_value = "config/demo/calls.jsonl")]
    calls: PathBuf,
    /// Play at most so many calls.
    #[arg(long, default_value_t = usize::MAX)]
    calls_max: usize,
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

#[derive(Debug, Subcommand)]
enum Workflow {
    /// Say everything that is wrong with workflow files.
    Check {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Tell every scenario beside the workflows of a folder.
    Test {
        /// The folder.
        #[arg(default_value = "workflows")]
        folder: PathBuf,
        /// Who is who.
        #[arg(long, default_value = "config/jurisdictions/chengkou.yaml")]
        jurisdiction: PathBuf,
        /// Which days are worked.
        #[arg(long, default_value = "config/calendars/chongqing.yaml")]
        calendar: PathBuf,
    },
    /// Draw a workflow.
    Diagram {
        /// The file.
        file: PathBuf,
        /// `mermaid`, `dot` or `scxml`.
        #[arg(long, default_value = "mermaid")]
        format: workflow::Format,
    },
    /// Print the JSON Schema of workflow files, for editors.
    Schema,
}

#[derive(Debug, Subcommand)]
enum Alerts {
    /// Say everything that is wrong with the message templates, and which SMS are long.
    Check {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Show a message with sample values.
    Preview {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
        #[command(flatten)]
        wish: alerts::PreviewWish,
    },
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
        Command::Verify { config, database } => verify(config, database),
        Command::Token { config, person, label, jurisdiction } => {
            let settings = serve::settings(config, std::env::vars()).map_err(said)?;
            let wish = serve::TokenWish { jurisdiction, person, label };
            let secret = serve::token(&settings, &wish).map_err(said)?;
            Ok(workflow::Report::of(format!("{secret}\n")))
        }
        Command::Administrator { config, person, jurisdiction } => {
            let settings = serve::settings(config, std::env::vars()).map_err(said)?;
            let label = "administrator by command line".to_owned();
            let wish = serve::TokenWish { jurisdiction, person, label };
            let secret = serve::administrator(&settings, &wish).map_err(said)?;
            Ok(workflow::Report::of(format!("{secret}\n")))
        }
        Command::Alerts(Alerts::Check { config }) => {
            alerts::check(&serve::settings(config, std::env::vars()).map_err(said)?).map_err(said)
        }
        Command::Alerts(Alerts::Preview { config, wish }) => {
            let settings = serve::settings(config, std::env::vars()).map_err(said)?;
            alerts::preview(&settings, &wish).map_err(said)
        }
        Command::Account { config, person, login, jurisdiction } => {
            let settings = serve::settings(config, std::env::vars()).map_err(said)?;
            let wish = serve::TokenWish { jurisdiction, person, label: login };
            let setup = serve::account(&settings, &wish).map_err(said)?;
            Ok(workflow::Report::of(format!("{setup}\n")))
        }
        Command::Rights { workflows } => rights::report(&workflows),
        Command::Config => Ok(workflow::Report::of(Settings::template())),
        Command::Workflow(Workflow::Check { files }) => workflow::check(&files),
        Command::Workflow(Workflow::Test { folder, jurisdiction, calendar }) => {
            workflow::test(&folder, &jurisdiction, &calendar)
        }
        Command::Workflow(Workflow::Diagram { file, format }) => workflow::diagram(&file, format),
        Command::Workflow(Workflow::Schema) => workflow::schema(),
    }
}

fn demonstrate(wish: Demo) -> Result<workflow::Report, String> {
    let mut settings = serve::settings(None, std::env::vars()).map_err(said)?;
    if let Some(listen) = wish.listen {
        settings.server.listen = listen;
    }
    if let Some(database) = wish.database {
        settings.database.url = database;
    }
    let options = demo::Options {
        speed: wish.speed,
        once: wish.once,
        report: wish.report,
        calls: wish.calls,
        calls_max: wish.calls_max,
    };
    let shown = serve::demonstrate(settings, &options, |line| print(&format!("{line}\n")));
    shown.map_err(said)?;
    Ok(workflow::Report::default())
}

fn serve_for_real(wish: Serve) -> Result<workflow::Report, String> {
    let mut settings = serve::settings(wish.config, std::env::vars()).map_err(said)?;
    if let Some(database) = wish.database {
        settings.database.url = database;
    }
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

fn verify(config: Option<PathBuf>, database: Option<String>) -> Result<workflow::Report, String> {
    let mut settings = serve::settings(config, std::env::vars()).map_err(said)?;
    if let Some(database) = database {
        settings.database.url = database;
    }
    let report = serve::verify(&settings).map_err(said)?;
    let mut text = format!(
        "{} instances, {} events: {} chains whole, {} replayed alike, {} differing\n",
        report.instances, report.events, report.chains_ok, report.replayed, report.differing_count
    );
    for examined in &report.differing {
        for difference in &examined.differences {
            text.push_str(&format!("  instance {}: {difference}\n", examined.instance));
        }
    }
    Ok(workflow::Report { text, failed: !report.is_sound() })
}

fn said(error: impl std::fmt::Display) -> String {
    format!("fenliu: {error}")
}

#[expect(clippy::print_stdout, reason = "the command line answers on standard output")]
fn print(text: &str) {
    use std::io::Write;
    print!("{text}");
    // A reader that has gone is no reason to stop working.
    drop(std::io::stdout().flush());
}

#[expect(clippy::print_stderr, reason = "the command line complains on standard error")]
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
