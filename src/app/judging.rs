//! What an operator has to know from the first moment: settings under which something is lost, kept for
//! ever, or read on its way. Each stands as an operator alarm and keeps nobody from being answered.

use super::house::Error;
use crate::config::job::Does;
use crate::config::settings::Settings;
use crate::domain::Wire;
use crate::gate::{Gate, NewAlarm};
use crate::scheduler::Lines;
use crate::scheduler::jobs::NEVER_ERASED;

/// Whoever keeps the database has switched off what makes a commit last: the operator is told.
pub(super) fn database(gate: &Gate) -> Result<(), Error> {
    let weak = gate.weak_settings()?;
    if !weak.is_empty() {
        let detail = format!("{} = off: switch on, and restart the server", weak.join(", "));
        tracing::error!(detail, "what is acknowledged may be lost with the database's machine");
        alarm(gate, "database_unsafe", detail);
    }
    let rewritable = gate.rewritable()?;
    if !rewritable.is_empty() {
        let tables = rewritable.join(", ");
        tracing::warn!(
            tables,
            "the service's role at the database may change what happened, not only add to \
            it: see deploy/postgresql-roles.sql"
        );
    }
    Ok(())
}

/// Whoever has decided nothing keeps callers for ever: the operator is told.
pub(super) fn retention(settings: &Settings, gate: &Gate) {
    if !settings.jobs().iter().any(|job| job.does == Does::EraseCallers) {
        let detail = "no job erases callers when their time has come: set one with `does = \
                      \"erase_callers\"` and its `days`";
        tracing::error!(detail, "callers are kept for ever");
        alarm(gate, NEVER_ERASED, detail.to_owned());
    }
}

/// Lines to other machines that anybody on the way can read stand as alarms as long as the settings let
/// them be so.
pub(super) fn wires(gate: &Gate, lines: &Lines) -> Result<(), Error> {
    let channels = lines.channels.iter().map(|(name, channel)| (name.as_str(), channel.wire()));
    for (name, wire) in channels.chain([("database", gate.wire())]) {
        let kind = format!("clear_text.{name}");
        if wire == Wire::Clear {
            let detail = format!(
                "whoever is on the way can read what goes to the service of `{name}`, or change it: let the \
                 line be protected by TLS, and take allow_clear_text (allow_http) out of the settings"
            );
            tracing::error!(name, detail, "a line to another machine is in clear text");
            alarm(gate, &kind, detail);
        } else {
            gate.end_alarm(&about_house(gate, &kind, String::new()))?;
        }
    }
    Ok(())
}

/// Raises an operator alarm about the house as a whole.
pub(super) fn alarm(gate: &Gate, kind: &str, detail: String) {
    if let Err(error) = gate.raise_alarm(&about_house(gate, kind, detail)) {
        tracing::error!(%error, kind, "an alarm could not be written");
    }
}

fn about_house(gate: &Gate, kind: &str, detail: String) -> NewAlarm {
    let jurisdiction = gate.registry().jurisdictions().first().copied();
    NewAlarm { kind: kind.to_owned(), jurisdiction, instance: None, at: gate.now(), detail }
}
