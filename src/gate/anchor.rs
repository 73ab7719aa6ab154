//! What the service looks at when it starts: whether the newest checkpoint, and those that somebody keeps
//! elsewhere, still agree with the database. Of the events only the signed heads: the rest is the
//! auditor's.

use super::Gate;
use super::error::Error;
use super::sealing::checkpoint_faults;
use crate::domain::event::{Hash, NO_HASH, hex};
use crate::seal;
use crate::store::{self, CheckpointRow, Reader};

/// What looking at checkpoints came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anchored {
    /// The newest checkpoint: its number and its hash, in hexadecimal.
    pub newest: Option<(i64, String)>,
    /// What does not agree, a sentence each.
    pub faults: Vec<String>,
}

impl Gate {
    /// Looks at the newest checkpoint (its signature, by the key of this service, the heads that it signed)
    /// and at those of which `kept` has number and hash. Nothing is written. Blocks.
    ///
    /// # Errors
    /// What the store says. What does not agree is no error but in the answer.
    pub fn anchored(&self, kept: &[(i64, Hash)]) -> Result<Anchored, Error> {
        let key = self.inner.seal.get().map(|key| key.public().to_vec());
        let founded = self.is_founded();
        self.read(|reader| {
            let Some(last) = reader.last_checkpoint()? else {
                let mut faults = Vec::new();
                if founded || !kept.is_empty() {
                    faults.push("there is no checkpoint: somebody took them away, or none was ever made".to_owned());
                }
                return Ok(Anchored { newest: None, faults });
            };
            let by = reader.chain()?;
            let hash = |row: &CheckpointRow| seal::hash_of(by, &row.body);
            let mut faults = look(reader, &last, key.as_deref())?;
            for (number, noted) in kept {
                let row = reader.checkpoints(number - 1, 1)?.pop();
                let Some(row) = row.filter(|row| row.number == *number) else {
                    faults.push(format!(
                        "checkpoint {number}, which is kept elsewhere, is not there; the last is {}: the \
                         database was put back to an older day, or its end was cut off",
                        last.number
                    ));
                    continue;
                };
                if hash(&row) != *noted {
                    faults.push(format!(
                        "checkpoint {number} is not the one that is kept elsewhere: the database was \
                         written anew"
                    ));
                } else if row.number != last.number {
                    faults.extend(look(reader, &row, key.as_deref())?);
                }
            }
            Ok(Anchored { newest: Some((last.number, hex(&hash(&last)))), faults })
        })
    }
}

/// What is wrong with one checkpoint.
fn look(
    reader: &mut Reader,
    row: &CheckpointRow,
    key: Option<&[u8]>,
) -> Result<Vec<String>, store::Error> {
    let number = row.number;
    let before = if number > 1 { reader.checkpoints(number - 2, 1)?.pop() } else { None };
    let before = before.filter(|before| before.number == number - 1);
    if number > 1 && before.is_none() {
        return Ok(vec![format!("checkpoint {} is not there", number - 1)]);
    }
    let by = reader.chain()?;
    let previous = before.map_or(NO_HASH, |before| seal::hash_of(by, &before.body));
    let faults = checkpoint_faults(reader, row, &previous, key)?;
    Ok(faults.into_iter().map(|what| format!("checkpoint {number}: {what}")).collect())
}
