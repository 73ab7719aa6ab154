//! What services say, made fit for a log: short, on one line, without addresses.

/// The longest such sentence, in characters.
const LONGEST: usize = 200;

/// The shortest run of digits that may be a telephone number.
const NUMBER: usize = 7;

/// A foreign sentence without control characters, mail addresses and telephone numbers, and not
/// longer than a line of a log: what a service answers often repeats to whom it was.
pub(super) fn fit(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words = line.split_whitespace().map(|word| {
        if word.contains('@') { "<address>".to_owned() } else { without_numbers(word) }
    });
    let mut fit = words.collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = fit.char_indices().nth(LONGEST) {
        fit.truncate(at);
        fit.push('…');
    }
    fit
}

fn without_numbers(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut run = String::new();
    for c in word.chars().map(Some).chain([None]) {
        match c {
            Some(digit) if digit.is_ascii_digit() => run.push(digit),
            other => {
                out.push_str(if run.len() >= NUMBER { "<number>" } else { &run });
                run.clear();
                out.extend(other);
            }
        }
    }
    out
}

/// A text for one line of a header: control characters, above all line ends, become blanks, so that
/// no text can begin a header of its own.
pub(super) fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_line_ends_of_a_foreign_sentence_are_gone() {
        let said = "5.1.1 <wang@example.org>: Recipient\r\nrejected, call 13812345678 or 110";
        assert_eq!(fit(said), "5.1.1 <address> Recipient rejected, call <number> or 110");
        assert_eq!(fit("电话+8613812345678。"), "电话+<number>。");
        assert_eq!(fit(&"好".repeat(300)).chars().count(), 201);
        assert_eq!(one_line("催办\r\nBcc: x@example.org"), "催办  Bcc: x@example.org");
    }
}
