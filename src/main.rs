//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fenliu::app::workflow;
use fenliu::config::settings::Settings;

/// 分流: diverts non-emergency police calls to the unit that must handle them.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check, test and draw workflow files.
    #[command(subcommand)]
    Workflow(Workflow),
    /// Print the settings file with every key, its meaning and its default.
    Config,
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
}

fn main() -> ExitCode {
    let line = CommandLine::parse();
    let outcome = match line.command {
        Command::Config => Ok(workflow::Report { text: Settings::template(), failed: false }),
        Command::Workflow(Workflow::Check { files }) => workflow::check(&files),
        Command::Workflow(Workflow::Test { folder, jurisdiction, calendar }) => {
            workflow::test(&folder, &jurisdiction, &calendar)
        }
    };
    match outcome {
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

#[expect(clippy::print_stdout, reason = "the command line answers on standard output")]
fn print(text: &str) {
    print!("{text}");
}

#[expect(clippy::print_stderr, reason = "the command line complains on standard error")]
fn complain(text: &str) {
    eprintln!("{text}");
}
