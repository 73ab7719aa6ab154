//! What can be answered on the spot: the small knowledge base of desk and units.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::instant::Instant;
use super::message::words;

/// An answer as its unit gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpotAnswer {
    /// Its code.
    pub code: String,
    /// Whose answer it is.
    pub unit: String,
    /// To which kind of matter.
    pub category: String,
    /// The question, in short.
    pub title: String,
    /// What is said to the caller.
    pub body: String,
    /// Words by which it is found besides its title; separated by spaces.
    #[serde(default)]
    pub words: String,
    /// Until when it holds, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Instant>,
}

words!(
    /// How an answer stands.
    SpotState {
        /// It may be told.
        Current = "current",
        /// Its time is over, and nobody has renewed it or taken it back.
        Lapsed = "lapsed",
        /// It was taken back.
        Ended = "ended",
    }
);

/// A version of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpotVersion {
    /// 1 for the first.
    pub version: i64,
    /// What it says.
    pub answer: SpotAnswer,
    /// Who wrote it.
    pub made_by: String,
    /// When.
    pub made_at: Instant,
    /// When it was taken back, if it was.
    pub ended_at: Option<Instant>,
}

impl SpotVersion {
    /// How it stands at an instant.
    #[must_use]
    pub fn state(&self, now: Instant) -> SpotState {
        let lapsed = self.answer.valid_until.is_some_and(|until| until <= now);
        match (self.ended_at, lapsed) {
            (Some(_), _) => SpotState::Ended,
            (None, true) => SpotState::Lapsed,
            (None, false) => SpotState::Current,
        }
    }
}

impl SpotAnswer {
    /// How well it answers a text: words of its own that stand there count three, pairs of letters that
    /// the title shares with it one, a suggested category (the likeliest first) up to three more. 0: not
    /// at all.
    #[must_use]
    pub fn fits(&self, text: &str, categories: &[&str]) -> usize {
        let words = self.words.split_whitespace().filter(|word| text.contains(word)).count();
        let pairs = |text: &str| {
            let letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
            letters.windows(2).map(<[char]>::to_vec).collect::<BTreeSet<_>>()
        };
        let shared = pairs(&self.title).intersection(&pairs(text)).count();
        let rank = categories.iter().take(3).position(|code| *code == self.category);
        let of_words = 3 * words + shared;
        // A category alone is a guess; with words it decides between two.
        match rank {
            Some(rank) => of_words + 3 - rank,
            None => of_words,
        }
    }

    /// How well it is found by words, or by what a caller says: as it fits, and one more for each word that
    /// stands anywhere in it, also in what is said. 0: not at all.
    #[must_use]
    pub fn found(&self, text: &str) -> usize {
        let own = [&self.title, &self.body, &self.words].map(|part| part.to_lowercase());
        let stands = |word: &String| own.iter().any(|part| part.contains(word.as_str()));
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let stand = words.map(str::to_lowercase).filter(stands).count();
        self.fits(text, &[]) + stand
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_found_by_its_words_its_title_and_its_category() {
        let answer = SpotAnswer {
            category: "labour.wage".to_owned(),
            title: "拖欠工资怎样投诉".to_owned(),
            words: "欠薪 讨薪".to_owned(),
            ..SpotAnswer::default()
        };
        assert_eq!(answer.fits("停水了", &[]), 0);
        assert!(answer.fits("老板拖欠工资三个月", &[]) >= 3);
        assert!(answer.fits("讨薪找哪个", &["labour.wage"]) > answer.fits("讨薪找哪个", &[]));
        assert!(answer.fits("讨薪", &["x", "labour.wage"]) < answer.fits("讨薪", &["labour.wage"]));
    }

    #[test]
    fn who_looks_for_an_answer_finds_it_also_by_what_is_said() {
        let answer = SpotAnswer {
            title: "拖欠工资怎样投诉".to_owned(),
            body: "也可申请劳动仲裁，或拨打12333。".to_owned(),
            words: "欠薪 讨薪".to_owned(),
            ..SpotAnswer::default()
        };
        assert_eq!(answer.fits("仲裁", &[]), 0);
        assert!(answer.found("仲裁") > 0);
        assert!(answer.found("12333，仲裁") > answer.found("仲裁"));
        assert!(answer.found("讨薪") > answer.found("仲裁"));
        assert_eq!(answer.found("停水"), 0);
        assert_eq!(answer.found(" ， "), 0);
    }

    #[test]
    fn an_answer_lapses_at_the_instant_that_it_names() {
        let answer = SpotAnswer { valid_until: Some(Instant(10)), ..SpotAnswer::default() };
        let (made_by, made_at) = ("x".to_owned(), Instant(0));
        let mut one = SpotVersion { version: 1, answer, made_by, made_at, ended_at: None };
        assert_eq!(one.state(Instant(9)), SpotState::Current);
        assert_eq!(one.state(Instant(10)), SpotState::Lapsed);
        one.ended_at = Some(Instant(5));
        assert_eq!(one.state(Instant(9)), SpotState::Ended);
    }
}
