//! Passwords that whoever guesses tries first: a word that many choose, or two, a walk over the keyboard,
//! each with the digits and signs that people put round it, in the spellings that people think clever. By
//! rule, so that `Admin@123` and `Zhongguo2018!` are found, which no list of what leaked somewhere has all of.

use std::sync::LazyLock;

/// Words that many people choose, of both languages and in pinyin, in small letters and in order. Written
/// for this project.
const WORDS: &str = include_str!("guessable.txt");

static KNOWN: LazyLock<Vec<&'static str>> = LazyLock::new(|| WORDS.lines().collect());

/// So many digits and signs round a common word are what people put there: a date has eight.
const ROUND: usize = 8;

/// The ways that fingers walk over the keyboard, and what is counted up.
const WALKS: [&str; 16] = [
    "1234567890",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
    "8ik,",
    "9ol.",
    "0p;/",
    "abcdefghijklmnopqrstuvwxyz",
];

/// The shortest walk that is one.
const STEPS: usize = 3;

/// Whether a password is among those that are guessed first.
pub(super) fn is_guessable(password: &str) -> bool {
    let small = password.to_lowercase();
    let core = small.trim_matches(|c: char| !c.is_alphabetic());
    let round = small.chars().count() - core.chars().count();
    let spelt = [unleet(core, 'i'), unleet(core, 'l')];
    is_walk(&small)
        || is_walk(&unshifted(&small))
        || is_words(&small)
        || round <= ROUND && spelt.iter().any(|core| is_words(core))
}

/// One or two common words, or walks, and not too many digits and signs besides.
fn is_words(text: &str) -> bool {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).collect();
    let besides = text.chars().filter(|c| !c.is_alphabetic()).count();
    let twice = |word: &str| {
        let mut cuts = word.char_indices().filter_map(|(at, _)| word.split_at_checked(at));
        cuts.any(|(one, other)| is_word(one) && is_word(other))
    };
    let known = |word: &&str| is_word(word) || is_walk(word);
    match words[..] {
        [word] => besides <= ROUND && (known(&word) || twice(word)),
        [one, other] => besides <= ROUND && known(&one) && known(&other),
        _ => false,
    }
}

fn is_word(word: &str) -> bool {
    KNOWN.binary_search(&word).is_ok()
}

/// Walks of at least three steps each, one after the other, or one key again and again.
fn is_walk(text: &str) -> bool {
    let mut rest: Vec<char> = text.chars().collect();
    while !rest.is_empty() {
        let longest = WALKS.iter().map(|walk| steps(&rest, walk)).max().unwrap_or(0);
        let same = rest.iter().take_while(|c| rest.first() == Some(c)).count();
        let step = longest.max(same);
        if step < STEPS {
            return false;
        }
        rest.drain(..step);
    }
    !text.is_empty()
}

/// How many letters at the beginning go along a walk, forwards or backwards.
fn steps(text: &[char], walk: &str) -> usize {
    let forwards: Vec<char> = walk.chars().collect();
    let backwards: Vec<char> = walk.chars().rev().collect();
    let along = |way: &[char]| {
        let begins = way.iter().position(|c| text.first() == Some(c));
        begins.map_or(0, |at| {
            let way = way.iter().skip(at);
            way.zip(text).take_while(|(one, other)| one == other).count()
        })
    };
    along(&forwards).max(along(&backwards))
}

/// What the keys would have given without shift.
fn unshifted(text: &str) -> String {
    const SHIFTED: &str = "!@#$%^&*()";
    const KEYS: &str = "1234567890";
    let key = |c: char| SHIFTED.chars().zip(KEYS.chars()).find(|(shifted, _)| *shifted == c);
    text.chars().map(|c| key(c).map_or(c, |(_, key)| key)).collect()
}

/// Letters for the digits and signs that stand in for them; `one` for 1.
fn unleet(text: &str, one: char) -> String {
    let letter = |c: char| match c {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => one,
        '0' => 'o',
        '$' | '5' => 's',
        '7' => 't',
        other => other,
    };
    text.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_people_choose_is_known_in_every_guise() {
        for password in [
            "password",
            "Password123",
            "P@ssw0rd2018!",
            "Admin@123",
            "Adm1n#2018",
            "We1come2018",
            "Zhongguo2018!",
            "woaini1314",
            "GongAn@110",
            "管理员2018",
            "iloveyou520",
            "test-admin-01",
            "SuperAdmin888",
            "1qaz@WSX3edc",
            "qwer1234!@#$",
            "Qwertyuiop",
            "zaq12wsx",
            "abc123456",
            "1234567890",
            "987654321",
            "aaaa1111bbbb",
            "20180702mima",
            "!!!Monkey!!!",
        ] {
            assert!(is_guessable(password), "{password}");
        }
    }

    #[test]
    fn what_few_would_think_of_is_let_through() {
        for password in [
            "",
            "Tq7#vLp9sd",
            "correct horse battery",
            "Gangwu-2018 zhiban",
            "我的密码很长很长很长Aa1",
            "kUzmic-79-bela",
            "Wan-Shang 07 dian",
            "admin-horse-river-09",
            "mima94820571632",
            "sunshine47 over Weir",
        ] {
            assert!(!is_guessable(password), "{password}");
        }
    }

    #[test]
    fn more_than_three_thousand_of_them_are_found() {
        let ends = [
            "1", "12", "123", "1234", "@123", "#1", "!", "666", "888", "520", "2018", "@2018",
            "01", "_1",
        ];
        let made = KNOWN.iter().flat_map(|word| ends.iter().map(move |end| format!("{word}{end}")));
        let made: std::collections::BTreeSet<String> = made.collect();
        assert!(made.len() > 3000, "{}", made.len());
        assert!(made.iter().all(|password| is_guessable(password)));
        assert!(KNOWN.is_sorted());
    }
}
