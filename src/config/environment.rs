//! What environment variables mean: which key, and what kind of value.

use toml::{Table, Value};

/// Puts a value of the environment over the table of the file. `path` is the variable's name in
/// small letters without the prefix: section, tables and key with `_` between them. Names have `_` in
/// themselves, so `known` (the table with all defaults) tells where a table's name ends.
pub(super) fn overrule(
    table: &mut Table,
    known: &Table,
    path: &str,
    value: &str,
) -> Result<(), String> {
    let Some((section, mut key)) = path.split_once('_') else { return Ok(()) };
    let mut known = known.get(section).and_then(Value::as_table);
    let mut table = inner(table, section)?;
    while let Some((name, rest)) = known.and_then(|known| deeper(known, key)) {
        known = known.and_then(|known| known.get(name)).and_then(Value::as_table);
        table = inner(table, name)?;
        key = rest;
    }
    let usual = known.and_then(|known| known.get(key));
    let text = || Value::String(value.to_owned());
    let value = match usual {
        // A password of digits is a text all the same.
        Some(Value::String(_)) => text(),
        _ => value
            .parse::<i64>()
            .map(Value::Integer)
            .or_else(|_not_a_number| value.parse::<bool>().map(Value::Boolean))
            .unwrap_or_else(|_not_a_flag| text()),
    };
    table.insert(key.to_owned(), value);
    Ok(())
}

/// The table within that the path goes on with, and what is left of the path.
fn deeper<'p>(known: &'p Table, path: &'p str) -> Option<(&'p str, &'p str)> {
    let tables = known.iter().filter(|(_, value)| value.is_table());
    let mut found = tables.filter_map(|(name, _)| {
        let rest = path.strip_prefix(name.as_str())?.strip_prefix('_')?;
        Some((name.as_str(), rest))
    });
    found.next()
}

fn inner<'t>(table: &'t mut Table, name: &str) -> Result<&'t mut Table, String> {
    let entry = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
    entry.as_table_mut().ok_or_else(|| format!("there is no section `{name}`"))
}
