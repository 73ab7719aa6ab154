//! JSON as it comes in: read exactly, and what is wrong with it said in its own words.

use serde::de::DeserializeOwned;
use utoipa::PartialSchema;
use utoipa::openapi::{RefOr, Schema};

use super::problem::Problem;

/// Reads a body.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        // Where and what; the words of the caller are not repeated beyond the name at fault.
        let (line, column) = (error.line(), error.column());
        let error = in_words_of_json(&error.to_string());
        let zh = format!("正文不是所要的JSON（第{line}行第{column}列）：{error}");
        let detail = format!("The body is not the JSON expected: {error}.");
        Problem::bad_request("bad_json", zh, detail)
    })
}

/// Every field that a body should have and has not: the reader stops at the first.
pub(super) fn lacking<T: PartialSchema>(bytes: &[u8]) -> Option<Problem> {
    let RefOr::T(Schema::Object(wanted)) = T::schema() else { return None };
    let given: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).ok()?;
    let missing = wanted.required.iter().filter(|name| !given.contains_key(*name));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    let first = missing.first()?;
    let zh = format!("正文缺少：{}", missing.join("、"));
    let detail = format!("The body lacks {}.", missing.join(", "));
    Some(Problem::bad_request("bad_json", zh, detail).input(first))
}

/// What the reader of JSON says, without the names that types have in the program.
fn in_words_of_json(said: &str) -> String {
    let mut words = String::with_capacity(said.len());
    let mut rest = said;
    while let Some((before, after)) = rest.split_once("struct ") {
        words.push_str(before);
        words.push_str("an object");
        rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        // A list that is taken for an object is not told how long it should be.
        if let Some(count) = rest.strip_prefix(" with ") {
            let count = count.trim_start_matches(|c: char| c.is_ascii_digit());
            rest =
                count.strip_prefix(" elements").or(count.strip_prefix(" element")).unwrap_or(rest);
        }
    }
    words.push_str(rest);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_told_what_types_are_called_in_the_program() {
        for (said, shown) in [
            (
                "invalid length 0, expected struct NewReferral with 2 elements at line 1 column 2",
                "invalid length 0, expected an object at line 1 column 2",
            ),
            (
                "invalid type: string \"x\", expected struct Text at line 1 column 12",
                "invalid type: string \"x\", expected an object at line 1 column 12",
            ),
            ("missing field `zh` at line 1 column 2", "missing field `zh` at line 1 column 2"),
        ] {
            assert_eq!(in_words_of_json(said), shown);
        }
    }
}
