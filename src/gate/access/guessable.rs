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
const WALKS: [&str; 27] = [
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
    "1q2w3e4r5t6y7u8i9o0p",
    "1a2s3d4f5g6h7j8k9l",
    "1z2x3c4v5b6n7m",
    "1a2b3c4d5e6f7g8h9i",
    "q1w2e3r4t5y6u7i8o9p0",
    "qazwsxedcrfvtgbyhnujmik",
    "qweasdzxc",
    "147258369",
    "159753",
    "1029384756",
    "13579",
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
        || is_repeated(&small)
        || is_walk(&unshifted(&small))
        || is_words(&small)
        || is_counted(&small)
        || round <= ROUND && spelt.iter().any(|core| is_words(core))
}

/// Digits that are a walk, with a letter or two put to them.
fn is_counted(text: &str) -> bool {
    let (letters, digits): (Vec<char>, Vec<char>) = text.chars().partition(|c| c.is_alphabetic());
    let digits: String = digits.into_iter().collect();
    letters.len() <= 2 && (is_walk(&digits) || is_repeated(&digits))
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

/// A few letters again and again.
fn is_repeated(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    let units = 1..=letters.len() / 2;
    let mut whole = units.filter(|size| letters.len().is_multiple_of(*size));
    whole.any(|size| letters.chunks(size).all(|unit| letters.get(..size) == Some(unit)))
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
            "1q2w3e4r5t6y",
            "a123456789",
            "147258369147",
            "Tq7#Tq7#Tq7#",
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

    // Check 10.
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
