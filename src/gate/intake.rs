//! Calls that come many at once: each row goes through the same door as a call that is typed, and what
//! was taken before is recognised by its number.

use futures_util::future::join_all;

use super::answered::{NUMBER, SOURCE};
use super::error::Error;
use super::{Caller, Done, Gate, Request, Target};
use crate::domain::{Refusal, Text};
use crate::intake::Row;

/// So many rows wait for a commit together.
const TOGETHER: usize = 64;

impl Gate {
    /// Registers calls, in order; answers what became of each. `source` is the system of rows that
    /// name none.
    ///
    /// # Errors
    /// What stands in the way of all of them: the store does not answer, or the house is left. Rows
    /// that were taken by then are recognised when the same is asked again.
    pub async fn take_calls(
        &self,
        caller: &Caller,
        (workflow, command): (&str, &str),
        source: Option<&str>,
        rows: Vec<Row>,
    ) -> Result<Vec<(usize, Result<Done, Error>)>, Error> {
        let mut taken = Vec::with_capacity(rows.len());
        for rows in rows.chunks(TOGETHER) {
            let asked = rows.iter().map(|row| async move {
                let mut input = row.input.clone();
                if let Some(source) = source.filter(|_| !input.contains_key(SOURCE)) {
                    input.insert(SOURCE.to_owned(), source.into());
                }
                if !input.contains_key(NUMBER) {
                    return (row.line, Err(unnumbered()));
                }
                let request = Request {
                    caller: caller.clone(),
                    target: Target::New(workflow.to_owned()),
                    command: command.to_owned(),
                    input,
                    occurred_at: row.occurred_at,
                    key: None,
                    if_version: None,
                    about: None,
                };
                (row.line, self.submit(request).await)
            });
            for (line, outcome) in join_all(asked).await {
                match outcome {
                    Err(error) if stands_in_the_way(&error) => return Err(error),
                    outcome => taken.push((line, outcome)),
                }
            }
        }
        Ok(taken)
    }
}

/// Whether an error is none of one row.
fn stands_in_the_way(error: &Error) -> bool {
    !matches!(error, Error::Refused(_) | Error::Invalid(_) | Error::NotFound)
}

/// Without a number of its own a row could be taken twice.
fn unnumbered() -> Error {
    let text = Text::new(
        "没有来源编号：每行须有编号（纸质登记的编号亦可），重复导入时据此识别",
        "there is no number of the source: each row needs one (a paper form's will do), so that it is \
         recognised when it comes again",
    );
    let refusal = Refusal::new("source_number_needed", text);
    refusal.naming(NUMBER).into()
}
